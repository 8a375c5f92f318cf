#include "quantize/rounding_moments.h"

#include <algorithm>
#include <array>
#include <cstddef>

// The hot loop of every fit: written so that a compiler turns it into vector code for any instruction set, with the
// same result on all of them (fixed lanes, fixed order, no fused multiply-add).

namespace mpq::quant {

namespace {

constexpr std::size_t kLanes = 16;
constexpr std::size_t kStretch = 2048;  // single-precision sums stay this short

using Lanes = std::array<float, kLanes>;

/// Adding and subtracting 1.5 * 2^23 rounds to nearest even for |x| < 2^22.
constexpr float kRounder = 12582912.0F;

struct LaneSums {
  Lanes error{}, wq{}, qq{};
};

struct Step {
  float scale, inverse, low, high;
};

inline void accumulate(const float* weights, const Step& step, LaneSums& sums) {
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const float w = weights[lane];
    float q = w * step.inverse;
    q = q < step.low ? step.low : q;
    q = q > step.high ? step.high : q;
    q = (q + kRounder) - kRounder;
    const float rest = w - q * step.scale;
    sums.error[lane] += rest * rest;
    sums.wq[lane] += w * q;
    sums.qq[lane] += q * q;
  }
}

double total(const Lanes& lanes) {
  double sum = 0;
  for (const float lane : lanes) sum += static_cast<double>(lane);
  return sum;
}

}  // namespace

Moments rounding_moments(std::span<const float> row, float scale, IntegerRange range) {
  const Step step{scale, 1.0F / scale, static_cast<float>(range.low), static_cast<float>(range.high)};
  Moments moments;
  for (std::size_t start = 0; start < row.size(); start += kStretch) {
    const std::size_t end = std::min(row.size(), start + kStretch);
    LaneSums sums;
    std::size_t i = start;
    for (; i + kLanes <= end; i += kLanes) accumulate(row.data() + i, step, sums);
    if (i < end) {
      Lanes tail{};  // zeros round to zero and add nothing
      std::copy(row.begin() + static_cast<std::ptrdiff_t>(i), row.begin() + static_cast<std::ptrdiff_t>(end),
                tail.begin());
      accumulate(tail.data(), step, sums);
    }
    moments.error += total(sums.error);
    moments.wq += total(sums.wq);
    moments.qq += total(sums.qq);
  }
  return moments;
}

}  // namespace mpq::quant
