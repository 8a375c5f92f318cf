#include "quantize/entry_fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "quantize/entry_choice.h"

namespace mpq::quant {

namespace {

constexpr double kHighest = 127;  // of the entries

}  // namespace

EntryFit::EntryFit(std::span<const float> weight, const Rows& rows)
    : length_(rows.length()), weights_(weight.size()), scales_(rows.count()) {
  rows.gather<float>(weight, 0, rows.count(), weights_.data());
  normalise();
}

/// Every row by its root mean square, so that rows of all sizes share entries.
void EntryFit::normalise() {
  double largest = 0;
  for (const float w : weights_) largest = std::max(largest, std::fabs(static_cast<double>(w)));
  unit_ = largest > 0 ? std::ldexp(1.0, std::ilogb(largest)) : 1;
  for (std::size_t r = 0; r < rows(); ++r) {
    double squares = 0;
    for (std::size_t k = 0; k < length_; ++k) {
      const double w = weights_[r * length_ + k] / unit_;
      squares += w * w;
    }
    scales_[r] = std::sqrt(squares / static_cast<double>(length_));
  }
}

/// Calls visit(weight / scale, scale^2) for every weight of the rows that have a scale.
template <typename Visit>
void EntryFit::for_each_number(const Visit& visit) const {
  for (std::size_t r = 0; r < rows(); ++r) {
    if (scales_[r] == 0) continue;
    const double inverse = 1 / (scales_[r] * unit_), square = scales_[r] * scales_[r];
    for (std::size_t k = 0; k < length_; ++k) {
      const std::size_t i = r * length_ + k;
      visit(static_cast<double>(weights_[i]) * inverse, square);
    }
  }
}

/// How far the entries reach: from the largest number inwards as long as clipping pays.
void EntryFit::choose_unit(int count) {
  constexpr int kBins = 8192;
  constexpr double kStep = 0.8;
  constexpr int kMostSteps = 24;
  double reach = 0;
  for_each_number([&](double x, double) { reach = std::max(reach, std::fabs(x)); });
  if (reach == 0) return;
  std::vector<HalfStepMoments::Sums> bins(kBins);
  const double per_bin = kBins / (2 * reach);
  for_each_number([&](double x, double mass) {
    const double place = std::clamp((x + reach) * per_bin, 0.0, kBins - 1.0);
    HalfStepMoments::Sums& bin = bins[static_cast<std::size_t>(place)];
    bin.mass += mass;
    bin.first += mass * x;
  });
  double unit = reach / kHighest, best = unit, least = -1;
  for (int step = 0; step < kMostSteps; ++step, unit *= kStep) {
    HalfStepMoments moments;
    for (const HalfStepMoments::Sums& bin : bins) {
      if (bin.mass > 0) moments.add(bin.first / bin.mass / unit, bin.mass);
    }
    const double error = best_entries(moments, count).error * unit * unit;
    if (least >= 0 && error >= least) break;
    least = error;
    best = unit;
  }
  for (double& scale : scales_) scale *= best;
}

void EntryFit::choose_entries(int count) {
  HalfStepMoments moments;
  for_each_number([&](double x, double mass) { moments.add(x, mass); });
  entries_ = best_entries(moments, count).entries;
  const bool nothing = std::all_of(scales_.begin(), scales_.end(), [](double scale) { return scale == 0; });
  if (nothing) std::iota(entries_.begin(), entries_.end(), static_cast<std::int8_t>(-count / 2));
}

RowSums EntryFit::sums(std::size_t r, double scale, const EntryTable& table) const {
  RowSums result;
  const double inverse = 1 / (scale * unit_);
  for (std::size_t k = 0; k < length_; ++k) {
    const std::size_t i = r * length_ + k;
    const double w = weights_[i] / unit_, q = table.nearest(static_cast<float>(weights_[i] * inverse));
    result.ww += w * w;
    result.wq += w * q;
    result.qq += q * q;
  }
  return result;
}

/// The least-squares scale for the entries the row has now; short rows also look around, on both sides of zero.
void EntryFit::fit_scale(std::size_t r, const EntryTable& table) {
  constexpr std::size_t kShortRow = 64;
  constexpr std::array<double, 8> kRatios = {.7, .8, .9, 1.1, 1.2, 1.35, -1, -1.15};
  RowSums best = sums(r, scales_[r], table);
  if (length_ <= kShortRow) {
    for (const double ratio : kRatios) {
      const RowSums other = sums(r, ratio * scales_[r], table);
      if (other.best_error() < best.best_error()) best = other;
    }
  }
  if (best.best_scale() != 0) scales_[r] = best.best_scale();
}

void EntryFit::fit_scales() {
  const EntryTable table(entries_);
  for (std::size_t r = 0; r < rows(); ++r) {
    if (scales_[r] != 0) fit_scale(r, table);
  }
}

void EntryFit::run(int count) {
  constexpr int kTurns = 3;
  choose_unit(count);
  for (int turn = 0; turn < kTurns; ++turn) {
    choose_entries(count);
    fit_scales();
  }
  for (double& scale : scales_) scale *= unit_;
}

void give_idle_rows_a_scale(std::vector<float>& scales) {
  constexpr float kNothing = 0x1p-26F;
  float largest = 0;
  for (const float scale : scales) largest = std::max(largest, std::fabs(scale));
  for (float& scale : scales) {
    if (scale == 0) scale = kNothing * largest;
  }
}

}  // namespace mpq::quant
