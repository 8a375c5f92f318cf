#include "quantize/activation_range.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "mpq/error.h"

namespace mpq::quant {

namespace {

constexpr double kSteps = 255;
constexpr double kSentinel = 1e15;

}  // namespace

ActivationGrid grid_over(double low, double high) {
  low = std::min(low, 0.0);
  high = std::max(high, 0.0);
  if (!std::isfinite(low) || !std::isfinite(high)) {
    throw Error(ErrorCode::kInternal, "An activation's range is not finite.");
  }
  ActivationGrid grid;
  // Small enough that scale times a weight's scale stays a normal number.
  constexpr double kLeastScale = 1e-12;
  grid.scale = static_cast<float>(std::max((high - low) / kSteps, kLeastScale));
  // The last grid point may not lie beyond the range: a Clip in front is dropped only when the grid lies inside it.
  while (static_cast<double>(grid.scale) * kSteps > high - low && (high - low) / kSteps > kLeastScale) {
    grid.scale = std::nextafter(grid.scale, 0.0F);
  }
  grid.zero_point =
      static_cast<std::uint8_t>(std::clamp(std::nearbyint(-low / static_cast<double>(grid.scale)), 0.0, kSteps));
  return grid;
}

void round_to_grid(std::span<float> values, const ActivationGrid& grid) {
  const auto zero = static_cast<float>(grid.zero_point);
  for (float& value : values) {
    const float q = std::clamp(std::nearbyint(value / grid.scale) + zero, 0.0F, static_cast<float>(kSteps));
    value = (q - zero) * grid.scale;
  }
}

const char* to_string(RangeMethod method) {
  switch (method) {
    case RangeMethod::kMinMax:
      return "minmax";
    case RangeMethod::kPercentile:
      return "percentile";
    case RangeMethod::kMse:
      return "mse";
    case RangeMethod::kEntropy:
      break;
  }
  return "entropy";
}

void ActivationHistogram::widen(double magnitude) {
  if (reach_ == 0) {
    // A power of two, so that histograms of the same tensor are the same however the values were cut into portions.
    reach_ = std::exp2(std::ceil(std::log2(std::max(magnitude, 1e-30))));
    return;
  }
  while (reach_ < magnitude) {
    std::vector<double> merged(kBins);
    // The old range becomes the middle half of the new one.
    for (std::size_t i = 0; i < kBins; ++i) merged[kBins / 4 + i / 2] += bins_[i];
    bins_ = std::move(merged);
    reach_ *= 2;
  }
}

void ActivationHistogram::add(std::span<const float> values) {
  double least = std::numeric_limits<double>::infinity(), largest = -least;
  for (const float value : values) {
    if (!(std::abs(value) <= kSentinel)) continue;
    least = std::min<double>(least, value);
    largest = std::max<double>(largest, value);
  }
  if (least > largest) {
    sentinels_ += static_cast<std::int64_t>(values.size());
    return;
  }
  widen(std::max(std::abs(least), std::abs(largest)));
  least_ = count_ == 0 ? least : std::min(least_, least);
  largest_ = count_ == 0 ? largest : std::max(largest_, largest);
  const double per_unit = 1 / width();
  for (const float value : values) {
    if (!(std::abs(value) <= kSentinel)) {
      ++sentinels_;
      continue;
    }
    const auto bin = static_cast<std::size_t>((static_cast<double>(value) + reach_) * per_unit);
    bins_[std::min(bin, kBins - 1)] += 1;
    ++count_;
  }
}

ActivationGrid ActivationHistogram::grid(RangeMethod method) const {
  switch (method) {
    case RangeMethod::kMinMax:
      break;
    case RangeMethod::kPercentile:
      return percentile_grid();
    case RangeMethod::kMse:
      return mse_grid();
    case RangeMethod::kEntropy:
      return entropy_grid();
  }
  return grid_over(least_, largest_);
}

ActivationGrid ActivationHistogram::percentile_grid() const {
  constexpr double kOutside = 1e-4;
  const double tail = kOutside / 2 * static_cast<double>(count_);
  double seen = 0;
  std::size_t first = 0, last = kBins - 1;
  while (first < last && seen + bins_[first] <= tail) seen += bins_[first++];
  seen = 0;
  while (last > first && seen + bins_[last] <= tail) seen += bins_[last--];
  const double low = -reach_ + static_cast<double>(first) * width();
  const double high = -reach_ + static_cast<double>(last + 1) * width();
  return grid_over(std::max(low, least_), std::min(high, largest_));
}

double ActivationHistogram::mean_squared_error(const ActivationGrid& grid) const {
  const double scale = static_cast<double>(grid.scale), zero = grid.zero_point;
  double sum = 0;
  for (std::size_t i = 0; i < kBins; ++i) {
    if (bins_[i] == 0) continue;
    const double x = centre(i);
    const double q = x / scale + zero;
    // Inside, values spread over a step; outside, the distance to the last grid point counts.
    const double outside = q < 0 ? -q * scale : q > kSteps ? (q - kSteps) * scale : 0;
    constexpr double kUniform = 1.0 / 12;
    sum += bins_[i] * (outside > 0 ? outside * outside : scale * scale * kUniform);
  }
  return count_ > 0 ? sum / static_cast<double>(count_) : 0;
}

/// Both bounds are clipped by the same share of their own magnitude first, then each by itself.
ActivationGrid ActivationHistogram::mse_grid() const {
  constexpr int kShares = 64;
  const auto grid_at = [&](int low, int high) { return grid_over(least_ * low / kShares, largest_ * high / kShares); };
  int low = kShares, high = kShares;
  double best = mean_squared_error(grid_at(low, high));
  const auto take = [&](int l, int h) {
    const double error = mean_squared_error(grid_at(l, h));
    if (error >= best) return;
    best = error;
    low = l;
    high = h;
  };
  for (int share = kShares - 1; share > 0; --share) take(share, share);
  for (int share = kShares; share > 0; --share) take(low, share);
  for (int share = kShares; share > 0; --share) take(share, high);
  return grid_at(low, high);
}

/// Kullback-Leibler divergence of the histogram, its clipped tails put into the outermost bins, from the same
/// rebuilt out of 256 steps, each step's mass spread evenly over the bins that were filled.
ActivationGrid ActivationHistogram::entropy_grid() const {
  constexpr int kShares = 32;
  ActivationGrid best = grid_over(least_, largest_);
  double least_divergence = std::numeric_limits<double>::infinity();
  for (int share = kShares; share > 0; --share) {
    const double part = static_cast<double>(share) / kShares;
    const ActivationGrid grid = grid_over(least_ * part, largest_ * part);
    const double scale = static_cast<double>(grid.scale), zero = grid.zero_point;
    std::vector<double> mass(static_cast<std::size_t>(kSteps) + 1), filled(mass.size());
    const auto step_of = [&](std::size_t bin) {
      return static_cast<std::size_t>(std::clamp(std::nearbyint(centre(bin) / scale + zero), 0.0, kSteps));
    };
    double outside = 0;
    for (std::size_t i = 0; i < kBins; ++i) {
      if (bins_[i] == 0) continue;
      const double q = centre(i) / scale + zero;
      if (q < -0.5 || q > kSteps + 0.5) {
        outside += bins_[i];
        continue;  // not in the rebuilt distribution
      }
      mass[step_of(i)] += bins_[i];
      filled[step_of(i)] += 1;
    }
    const double inside = static_cast<double>(count_) - outside;
    if (inside <= 0) continue;
    double divergence = 0;
    for (std::size_t i = 0; i < kBins; ++i) {
      const double q = centre(i) / scale + zero;
      if (bins_[i] == 0 || q < -0.5 || q > kSteps + 0.5) continue;
      const double p = bins_[i] / static_cast<double>(count_);
      const double rebuilt = mass[step_of(i)] / filled[step_of(i)] / inside;
      divergence += p * std::log(p / rebuilt);
    }
    // The tails end up in the outermost steps, where the rebuilt distribution had next to nothing.
    if (outside > 0) {
      const double p = outside / static_cast<double>(count_);
      const double edge = std::max((mass.front() + mass.back()) / inside, 1e-9);
      divergence += p * std::log(p / std::min(edge, p));
    }
    if (divergence < least_divergence) {
      least_divergence = divergence;
      best = grid;
    }
  }
  return best;
}

}  // namespace mpq::quant
