#include "quantize/scale_fit.h"

#include <cmath>

#include <gtest/gtest.h>

#include "quantize/grid.h"

namespace mpq::quant {
namespace {

TEST(RoundToHalfPrecision, IsToHalfWithoutItsLimits) {
  for (const float value : {1.0F, 1.0004883F, 1.00048828125F, 3.14159F, 0.1F, 1234.5F, -7.7F}) {
    EXPECT_EQ(round_to_half_precision(value), from_half(to_half(value))) << value;
    EXPECT_EQ(round_to_half_precision(std::ldexp(value, 60)), std::ldexp(from_half(to_half(value)), 60));
  }
}

TEST(ScaleSearch, MinMaxUsesTheLargestMagnitude) {
  const std::vector<float> row{0.25F, -1.4F, 0.7F};
  EXPECT_FLOAT_EQ(ScaleSearch(4, false).min_max(row), 1.4F / 7);
  EXPECT_FLOAT_EQ(ScaleSearch(2, false).min_max(row), 1.4F);
}

TEST(ScaleSearch, TurnsTheScaleNegativeWhereThatReachesFurther) {
  // Two bits hold -2 .. 1: only a negative scale holds 0, 1 and 2 without error.
  const std::vector<float> row{1.5F, 0.75F, 0.0F, 1.5F};
  for (const bool exhaustive : {true, false}) {
    ScaleSearch search(2, exhaustive);
    EXPECT_EQ(search.best(row), -0.75F) << exhaustive;
    EXPECT_EQ(squared_error(row, search.best(row), IntegerRange(2)), 0) << exhaustive;
  }
}

TEST(ScaleSearch, FindsAGridTheWeightsAlreadyLieOn) {
  std::vector<float> row;
  for (int q = -8; q < 8; ++q) row.push_back(static_cast<float>(q) * 0.125F);
  row.front() = -1.0F;
  EXPECT_EQ(squared_error(row, ScaleSearch(4, true).best(row), IntegerRange(4)), 0);
  EXPECT_EQ(squared_error(row, ScaleSearch(4, false).best(row), IntegerRange(4)), 0);
}

TEST(ScaleSearch, ClipsAnOutlierWhenThatPays) {
  std::vector<float> row(4000);
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = 0.1F * std::sin(static_cast<float>(i) * 1.7F);
  row[17] = 1.0F;
  ScaleSearch search(4, false);
  EXPECT_LT(std::fabs(search.best(row)) * 8, 0.9F);
  EXPECT_LT(squared_error(row, search.best(row), IntegerRange(4)),
            0.5 * squared_error(row, search.min_max(row), IntegerRange(4)));
}

}  // namespace
}  // namespace mpq::quant
