#include "quantize/scale_fit.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

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
constexpr std::size_t kLongRow = 64;

}  // namespace

float round_to_half_precision(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>((bits + 0xfff + ((bits >> 13) & 1)) & ~std::uint32_t{0x1fff});
}

float ScaleSearch::min_max(std::span<const float> row) const {
  const Spread spread = spread_of(row);
  return std::max(spread.positive, spread.negative) / static_cast<float>(range_.high);
}

ScaleError ScaleSearch::scan(std::span<const float> row, float sign) const {
  const Spread spread = spread_of(row);
  const float widest = unclipped_scale(spread, sign, range_);
  const float floor = spread.mean / static_cast<float>(-range_.low);  // clips the mean weight
  ScaleError best;
  bool first = true;
  for (float ratio = 1; first || widest * ratio > floor; ratio /= kCoarseStep) {
    const ScaleError found = measured(row, sign * widest * ratio);
    if (first || found.error < best.error) {
      best = found;
    } else if (bits_ > kNarrowBits && found.error > kHopeless * best.error) {
      break;
    }
    first = false;
  }
  return refined(row, best);
}

ScaleError ScaleSearch::measured(std::span<const float> row, float scale) const {
  const Moments moments = rounding_moments(row, scale, range_);
  const double at = static_cast<double>(scale);
  return {static_cast<float>(moments.best_scale(at)), moments.best_error(at)};
}

ScaleError ScaleSearch::refined(std::span<const float> row, ScaleError found) const {
  const auto consider = [&](float scale) {
    const ScaleError other = measured(row, scale);
    if (other.error >= found.error || other.scale == 0) return false;
    found = other;
    return true;
  };
  float step = kCoarseStep;
  for (int halving = 0; halving < 3; ++halving) {
    step = std::sqrt(step);
    const float centre = found.scale;
    consider(centre * step);
    consider(centre / step);
  }
  for (int i = 0; i < kAlternations; ++i) {
    if (!consider(found.scale)) break;
  }
  return found;
}

ScaleError ScaleSearch::stored(std::span<const float> row, float scale) const {
  const float nearest = round_to_half_precision(scale);
  return {nearest, squared_error(row, nearest, range_)};
}

float ScaleSearch::best(std::span<const float> row) {
  const Spread spread = spread_of(row);
  ScaleError best = stored(row, min_max(row));
  const auto consider = [&](float scale) {
    const ScaleError found = stored(row, scale);
    if (found.error < best.error) best = found;
  };
  // The side that reaches further gets the extra level; the other choice may still win where levels are few.
  const float favoured = spread.negative >= spread.positive ? 1.0F : -1.0F;
  const float scanned = scan(row, favoured).scale;
  consider(scanned);
  if (bits_ <= kNarrowBits) {
    // On long rows both signs have their best at about the same size.
    consider((row.size() <= kLongRow ? scan(row, -favoured) : refined(row, measured(row, -scanned))).scale);
  }
  if (exhaustive_) {
    for (const float sign : {favoured, -favoured}) consider(sweep_.improved(row, sign, best).scale);
  }
  return best.scale;
}

}  // namespace mpq::quant
