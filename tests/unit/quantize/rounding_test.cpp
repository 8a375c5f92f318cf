#include "quantize/rounding.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace mpq::quant {
namespace {

Moments in_double(const std::vector<float>& row, double scale, IntegerRange range) {
  Moments moments;
  for (const float w : row) {
    const double q = std::nearbyint(std::clamp(w / scale, double(range.low), double(range.high)));
    moments.error += (w - scale * q) * (w - scale * q);
    moments.wq += w * q;
    moments.qq += q * q;
  }
  return moments;
}

TEST(RoundingMoments, AgreeWithDoublePrecisionAtEveryLengthAndSign) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0, 0.4F);
  for (const std::size_t length : {1U, 15U, 16U, 17U, 100U, 2048U, 5003U}) {
    std::vector<float> row(length);
    for (float& w : row) w = normal(random);
    for (const int bits : {2, 3, 5, 8}) {
      for (const double scale : {0.37, -0.11, 0.01}) {
        const Moments got = rounding_moments(row, static_cast<float>(scale), IntegerRange(bits));
        const Moments want = in_double(row, static_cast<double>(static_cast<float>(scale)), IntegerRange(bits));
        const double tolerance = 1e-5;
        EXPECT_NEAR(got.error, want.error, tolerance * want.error + 1e-12) << length << " " << bits << " " << scale;
        EXPECT_NEAR(got.wq, want.wq, tolerance * std::fabs(want.wq) + 1e-6);
        EXPECT_NEAR(got.qq, want.qq, tolerance * want.qq + 1e-6);
      }
    }
  }
}

TEST(RoundingMoments, RoundsHalvesToEvenAndClamps) {
  const std::vector<float> row{0.5F, 1.5F, -0.5F, -1.5F, -2.5F, 9.0F, -9.0F};
  const Moments moments = rounding_moments(row, 1.0F, IntegerRange(3));  // 0 2 0 -2 -2 3 -4
  EXPECT_DOUBLE_EQ(moments.qq, 4 + 4 + 4 + 9 + 16);
  EXPECT_DOUBLE_EQ(moments.wq, 3 + 3 + 5 + 27 + 36);
  EXPECT_DOUBLE_EQ(moments.error, 5 * 0.25 + 36 + 25);
}

TEST(RoundingMoments, BestScaleIsTheLeastSquaresOne) {
  const std::vector<float> row{1.1F, 2.0F, -3.3F};
  const Moments moments = rounding_moments(row, 1.0F, IntegerRange(4));  // 1 2 -3
  EXPECT_NEAR(moments.best_scale(1.0), (1.1 + 4 + 9.9) / 14, 1e-6);
  const double s = moments.best_scale(1.0);
  EXPECT_NEAR(moments.best_error(1.0), std::pow(1.1 - s, 2) + std::pow(2 - 2 * s, 2) + std::pow(3.3 - 3 * s, 2), 1e-6);
}

TEST(RoundToGrid, RoundsQuotientsToNearestEvenAndClamps) {
  const std::vector<float> row{0.25F, 0.75F, -0.25F, -0.75F, 1.0F, 9.0F, -9.0F};
  std::vector<std::int8_t> out(row.size());
  round_to_grid(row, 0.5F, IntegerRange(3), out.data());
  EXPECT_EQ(out, (std::vector<std::int8_t>{0, 2, 0, -2, 2, 3, -4}));
  round_to_grid(row, -0.5F, IntegerRange(3), out.data());
  EXPECT_EQ(out, (std::vector<std::int8_t>{0, -2, 0, 2, -2, -4, 3}));
}

TEST(SquaredError, IsWhatRoundingLeaves) {
  const std::vector<float> row{0.9F, -2.2F, 5.0F};  // at scale 1 and two bits: 1, -2, 1
  EXPECT_NEAR(squared_error(row, 1.0F, IntegerRange(2)), 0.01 + 0.04 + 16, 1e-6);
}

TEST(FiniteValue, TakesTheNextIntegerInwards) {
  EXPECT_EQ(finite_value(7, 10, 75), 7);
  EXPECT_EQ(finite_value(-8, 10, 75), -7);
}

}  // namespace
}  // namespace mpq::quant
