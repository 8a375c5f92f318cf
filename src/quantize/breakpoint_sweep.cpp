#include "quantize/breakpoint_sweep.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "quantize/scale_fit.h"

namespace mpq::quant {

namespace {

/// From this width on, scales beyond twice the one that clips nothing leave four times the error and are not swept.
constexpr int kWideBits = 5;
constexpr double kCoarsest = 2;

}  // namespace

BreakpointSweep::Window BreakpointSweep::window(std::span<const float> row, float sign, double error) const {
  // A scale that clips the largest weight by more than the whole error known cannot win.
  const double clipping = std::sqrt(error);
  Window result{0, std::numeric_limits<double>::infinity()};
  double unclipped = 0;  // inverse of the smallest scale that clips nothing
  for (const float w : row) {
    const double magnitude = std::fabs(static_cast<double>(w));
    const double reach = most_steps(w, sign);
    if (magnitude > clipping) result.end = std::min(result.end, (reach + 0.5) / (magnitude - clipping));
    if (magnitude > 0) unclipped = unclipped == 0 ? reach / magnitude : std::min(unclipped, reach / magnitude);
  }
  if (bits_ >= kWideBits) result.begin = unclipped / kCoarsest;
  return result;
}

void BreakpointSweep::collect(std::span<const float> row, float sign, const Window& window) {
  breakpoints_.clear();
  wq_ = 0;
  qq_ = 0;
  for (const float w : row) {
    const double magnitude = std::fabs(static_cast<double>(w));
    if (magnitude == 0) continue;
    const int most = most_steps(w, sign);
    const int first = std::min(most, static_cast<int>(std::ceil(std::max(0.0, magnitude * window.begin - 0.5))));
    wq_ += magnitude * first;
    qq_ += static_cast<double>(first) * first;
    for (int k = first; k < most; ++k) {
      const double at = (k + 0.5) / magnitude;
      if (at > window.end) break;
      breakpoints_.push_back({static_cast<float>(at), std::fabs(w), 2 * k + 1});
    }
  }
}

/// Breakpoints lie evenly over the window, so a bucket for each sorts them but for a few neighbours.
void BreakpointSweep::sort(const Window& window) {
  const auto earlier = [](const Breakpoint& a, const Breakpoint& b) {
    return a.inverse_scale != b.inverse_scale ? a.inverse_scale < b.inverse_scale : a.magnitude < b.magnitude;
  };
  double end = window.begin;
  for (const Breakpoint& point : breakpoints_) end = std::max(end, static_cast<double>(point.inverse_scale));
  const std::size_t count = breakpoints_.size();
  const auto begin = static_cast<float>(window.begin);
  const float per_unit = static_cast<float>(static_cast<double>(count) / std::max(end - window.begin, 1e-30));
  const auto bucket_of = [&](const Breakpoint& point) {
    const auto bucket = static_cast<std::size_t>(std::max(0.0F, (point.inverse_scale - begin) * per_unit));
    return std::min(bucket, count - 1);
  };
  buckets_.assign(count + 1, 0);
  for (const Breakpoint& point : breakpoints_) ++buckets_[bucket_of(point) + 1];
  for (std::size_t b = 1; b <= count; ++b) buckets_[b] += buckets_[b - 1];
  sorted_.resize(count);
  for (const Breakpoint& point : breakpoints_) sorted_[buckets_[bucket_of(point)]++] = point;
  // Every bucket now ends where the counter of its number stands.
  for (std::size_t b = 0, start = 0; b < count; start = buckets_[b++]) {
    if (buckets_[b] - start > 1) {
      std::sort(sorted_.begin() + static_cast<std::ptrdiff_t>(start),
                sorted_.begin() + static_cast<std::ptrdiff_t>(buckets_[b]), earlier);
    }
  }
}

ScaleError BreakpointSweep::improved(std::span<const float> row, float sign, ScaleError found) {
  const Window swept = window(row, sign, found.error);
  collect(row, sign, swept);
  if (breakpoints_.empty()) return found;
  sort(swept);
  double energy = 0;
  for (const float w : row) energy += static_cast<double>(w) * static_cast<double>(w);
  double wq = wq_;
  double qq = qq_;
  for (const Breakpoint& point : sorted_) {
    wq += static_cast<double>(point.magnitude);
    qq += point.odd;
    const auto scale = static_cast<double>(round_to_half_precision(static_cast<float>(wq / qq)));
    const double error = energy - scale * (2 * wq - scale * qq);
    if (error < found.error) found = {sign * static_cast<float>(scale), error};
  }
  return found;
}

}  // namespace mpq::quant
