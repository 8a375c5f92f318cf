#include "quantize/scale_fit.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

#include "quantize/rounding_moments.h"

namespace mpq::quant {

namespace {

/// Largest magnitudes on the two sides of zero, and the mean magnitude.
struct Spread {
  float positive = 0;
  float negative = 0;
  float mean = 0;
};

Spread spread_of(std::span<const float> row) {
  Spread spread;
  double sum = 0;
  for (const float w : row) {
    spread.positive = std::max(spread.positive, w);
    spread.negative = std::max(spread.negative, -w);
    sum += static_cast<double>(std::fabs(w));
  }
  spread.mean = static_cast<float>(sum / static_cast<double>(row.size()));
  return spread;
}

/// Smallest scale of this sign that clips nothing.
float unclipped_scale(const Spread& spread, float sign, IntegerRange range) {
  const float up = sign > 0 ? spread.positive : spread.negative;
  const float down = sign > 0 ? spread.negative : spread.positive;
  return std::max(up / static_cast<float>(range.high), down / static_cast<float>(-range.low));
}

constexpr float kCoarseStep = 1.09F;  // ratio of neighbouring scales in the first scan
constexpr int kNarrowBits = 4;        // up to here both signs are tried and the whole range is scanned
constexpr double kHopeless = 3.0;     // above: stop once clipping has multiplied the best error by this
constexpr int kAlternations = 4;

}  // namespace

float round_to_half_precision(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>((bits + 0xfff + ((bits >> 13) & 1)) & ~std::uint32_t{0x1fff});
}

double squared_error(std::span<const float> row, float scale, IntegerRange range) {
  double sum = 0;
  const auto low = static_cast<float>(range.low);
  const auto high = static_cast<float>(range.high);
  for (const float w : row) {
    const float q = std::nearbyint(std::clamp(w / scale, low, high));
    const double rest = static_cast<double>(w) - static_cast<double>(q) * static_cast<double>(scale);
    sum += rest * rest;
  }
  return sum;
}

float ScaleSearch::min_max(std::span<const float> row) const {
  const Spread spread = spread_of(row);
  return std::max(spread.positive, spread.negative) / static_cast<float>(range_.high);
}

ScaleSearch::Found ScaleSearch::exact(std::span<const float> row, float sign) {
  breakpoints_.clear();
  double energy = 0;
  for (const float w : row) {
    const float magnitude = std::fabs(w);
    if (magnitude == 0) continue;
    energy += static_cast<double>(w) * static_cast<double>(w);
    const int steps = w * sign > 0 ? range_.high : -range_.low;
    for (int k = 0; k < steps; ++k) {
      breakpoints_.push_back({(static_cast<float>(k) + 0.5F) / magnitude, magnitude, 2 * k + 1});
    }
  }
  std::sort(breakpoints_.begin(), breakpoints_.end(), [](const Breakpoint& a, const Breakpoint& b) {
    return a.inverse_scale != b.inverse_scale ? a.inverse_scale < b.inverse_scale : a.magnitude < b.magnitude;
  });
  Found best{sign, energy};
  double wq = 0;
  double qq = 0;
  for (const Breakpoint& point : breakpoints_) {
    wq += static_cast<double>(point.magnitude);
    qq += point.odd;
    const auto scale = static_cast<double>(round_to_half_precision(static_cast<float>(wq / qq)));
    const double error = energy - scale * (2 * wq - scale * qq);
    if (error < best.error) best = {sign * static_cast<float>(scale), error};
  }
  return best;
}

ScaleSearch::Found ScaleSearch::scan(std::span<const float> row, float sign) const {
  const Spread spread = spread_of(row);
  const float widest = unclipped_scale(spread, sign, range_);
  const float floor = spread.mean / static_cast<float>(-range_.low);
  Found best{sign * widest, 0};
  bool first = true;
  for (float ratio = 1; first || widest * ratio > floor; ratio /= kCoarseStep) {
    const float scale = sign * widest * ratio;
    const Moments moments = rounding_moments(row, scale, range_);
    const double error = moments.best_error(static_cast<double>(scale));
    if (first || error < best.error) {
      best = {static_cast<float>(moments.best_scale(static_cast<double>(scale))), error};
    } else if (bits_ > kNarrowBits && error > kHopeless * best.error) {
      break;
    }
    first = false;
  }
  return refined(row, best, kCoarseStep);
}

ScaleSearch::Found ScaleSearch::refined(std::span<const float> row, Found found, float ratio_step) const {
  const auto consider = [&](float scale) {
    const Moments moments = rounding_moments(row, scale, range_);
    const double error = moments.best_error(static_cast<double>(scale));
    const auto improved = static_cast<float>(moments.best_scale(static_cast<double>(scale)));
    if (error < found.error && improved != 0) {
      found = {improved, error};
      return true;
    }
    return false;
  };
  for (int halving = 0; halving < 3; ++halving) {
    ratio_step = std::sqrt(ratio_step);
    const float centre = found.scale;
    consider(centre * ratio_step);
    consider(centre / ratio_step);
  }
  for (int i = 0; i < kAlternations; ++i) {
    if (!consider(found.scale)) break;
  }
  return found;
}

ScaleSearch::Found ScaleSearch::stored(std::span<const float> row, const Found& found) const {
  const float nearest = round_to_half_precision(found.scale);
  return {nearest, squared_error(row, nearest, range_)};
}

float ScaleSearch::best(std::span<const float> row) {
  const Spread spread = spread_of(row);
  // The side that reaches further gets the extra level; at narrow widths the other choice may still win.
  const float favoured = spread.negative >= spread.positive ? 1.0F : -1.0F;
  const float plain = min_max(row);
  Found best = stored(row, {plain, 0});
  for (const float sign : {favoured, -favoured}) {
    if (sign != favoured && bits_ > kNarrowBits && !exhaustive_) continue;
    const Found found = stored(row, exhaustive_ ? exact(row, sign) : scan(row, sign));
    if (found.error < best.error) best = found;
  }
  return best.scale;
}

}  // namespace mpq::quant
