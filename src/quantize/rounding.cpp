#include "quantize/rounding.h"

#include <algorithm>
#include <array>
#include <cstddef>

// The hot loops of every fit: written so that a compiler turns them into vector code for any instruction set, with the
// same result on all of them (fixed lanes, fixed order, no fused multiply-add).

namespace mpq::quant {

namespace {

constexpr std::size_t kLanes = 16;
constexpr std::size_t kStretch = 2048;  // single-precision sums stay this short

using FloatLanes = std::array<float, kLanes>;
using DoubleLanes = std::array<double, kLanes>;

struct Grid {
  Grid(float scale_of_grid, IntegerRange range)
      : scale(scale_of_grid), low(static_cast<float>(range.low)), high(static_cast<float>(range.high)) {}
  float scale, low, high;
};

/// Nearest integer of the grid, ties to even: adding and subtracting 1.5 * 2^23 rounds |x| < 2^22.
inline float nearest(float ratio, const Grid& grid) {
  constexpr float kRounder = 12582912.0F;
  float q = ratio < grid.low ? grid.low : ratio;
  q = q > grid.high ? grid.high : q;
  return (q + kRounder) - kRounder;
}

struct LaneSums {
  FloatLanes error{}, wq{}, qq{};
};

inline void add_moments(const float* weights, const Grid& grid, float inverse, LaneSums& sums) {
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const float w = weights[lane];
    const float q = nearest(w * inverse, grid);
    const float rest = w - q * grid.scale;
    sums.error[lane] += rest * rest;
    sums.wq[lane] += w * q;
    sums.qq[lane] += q * q;
  }
}

inline void add_error(const float* weights, const Grid& grid, DoubleLanes& sums) {
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const double q = static_cast<double>(nearest(weights[lane] / grid.scale, grid));
    const double rest = static_cast<double>(weights[lane]) - q * static_cast<double>(grid.scale);
    sums[lane] += rest * rest;
  }
}

/// Calls visit(pointer to kLanes weights); the last call sees the rest padded with zeros, which round to zero and add
/// nothing to any sum.
template <typename Visit>
void for_each_lanes(std::span<const float> row, const Visit& visit) {
  std::size_t i = 0;
  for (; i + kLanes <= row.size(); i += kLanes) visit(row.data() + i);
  if (i == row.size()) return;
  FloatLanes tail{};
  std::copy(row.begin() + static_cast<std::ptrdiff_t>(i), row.end(), tail.begin());
  visit(tail.data());
}

template <typename Lanes>
double total(const Lanes& lanes) {
  double sum = 0;
  for (const auto lane : lanes) sum += static_cast<double>(lane);
  return sum;
}

}  // namespace

void round_to_grid(std::span<const float> row, float scale, IntegerRange range, std::int8_t* out) {
  const Grid grid(scale, range);
  for (std::size_t i = 0; i < row.size(); ++i) {
    out[i] = static_cast<std::int8_t>(static_cast<std::int32_t>(nearest(row[i] / grid.scale, grid)));
  }
}

double squared_error(std::span<const float> row, float scale, IntegerRange range) {
  const Grid grid(scale, range);
  DoubleLanes sums{};
  for_each_lanes(row, [&](const float* weights) { add_error(weights, grid, sums); });
  return total(sums);
}

Moments rounding_moments(std::span<const float> row, float scale, IntegerRange range) {
  const Grid grid(scale, range);
  const float inverse = 1.0F / scale;
  Moments moments;
  for (std::size_t start = 0; start < row.size(); start += kStretch) {
    LaneSums sums;
    for_each_lanes(row.subspan(start, std::min(kStretch, row.size() - start)),
                   [&](const float* weights) { add_moments(weights, grid, inverse, sums); });
    moments.error += total(sums.error);
    moments.wq += total(sums.wq);
    moments.qq += total(sums.qq);
  }
  return moments;
}

}  // namespace mpq::quant
