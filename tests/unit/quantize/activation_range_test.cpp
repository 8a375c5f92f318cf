#include "quantize/activation_range.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "mpq/error.h"

#include "support/random.h"

namespace mpq::quant {
namespace {

std::vector<float> gaussian(std::size_t count, std::uint64_t stream, float scale = 1) {
  std::vector<float> values(count);
  fill_gaussian(Philox(3, stream), values);
  for (float& value : values) value *= scale;
  return values;
}

double squared_error(std::vector<float> values, const ActivationGrid& grid) {
  const std::vector<float> before = values;
  round_to_grid(values, grid);
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) sum += std::pow(double(values[i]) - double(before[i]), 2);
  return sum / static_cast<double>(values.size());
}

TEST(GridOver, holds_zero_exactly_and_stays_inside_the_range) {
  for (const auto& [low, high] : std::vector<std::pair<double, double>>{{-1, 3}, {0, 6}, {-5, 0}, {2, 7}, {-9, -4}}) {
    const ActivationGrid grid = grid_over(low, high);
    std::vector<float> zero = {0};
    round_to_grid(zero, grid);
    EXPECT_EQ(zero[0], 0.0F);
    EXPECT_LE(double(grid.scale) * 255, std::max(high, 0.0) - std::min(low, 0.0));
  }
  EXPECT_EQ(grid_over(0, 6).zero_point, 0);  // a Relu or Clip in front is dropped only then
  EXPECT_LE(grid_over(0, 6).scale * 255.0F, 6.0F);
  EXPECT_THROW(grid_over(0, std::numeric_limits<double>::infinity()), Error);
}

TEST(GridOver, a_tensor_of_zeros_has_a_grid) {
  const ActivationGrid grid = grid_over(0, 0);
  EXPECT_GT(grid.scale, 0);
}

// The specification's example of QuantizeLinear: saturation and rounding to even.
TEST(RoundToGrid, rounds_as_onnx_does) {
  std::vector<float> values = {0, 2, 3, 1000, -254, -1000};
  round_to_grid(values, {2, 128});  // q = 128, 129, 130 (1.5 -> 2), 255, 1, 0
  EXPECT_EQ(values, (std::vector<float>{0, 2, 4, 254, -254, -256}));
}

TEST(Histogram, does_not_depend_on_the_portions) {
  const std::vector<float> values = gaussian(5000, 1, 3);
  ActivationHistogram whole, parts;
  whole.add(values);
  for (std::size_t i = 0; i < values.size(); i += 250) parts.add({values.data() + i, 250});
  EXPECT_EQ(whole.count(), 5000);
  for (const RangeMethod method : kRangeMethods) EXPECT_EQ(whole.grid(method), parts.grid(method)) << to_string(method);
}

TEST(Histogram, minmax_covers_everything_and_mse_errs_least) {
  std::vector<float> values = gaussian(20000, 2);
  values[17] = 60;  // an outlier
  ActivationHistogram histogram;
  histogram.add(values);
  const ActivationGrid widest = histogram.grid(RangeMethod::kMinMax);
  EXPECT_NEAR((255.0F - widest.zero_point) * widest.scale, 60, 0.3);
  const double best = squared_error(values, histogram.grid(RangeMethod::kMse));
  for (const RangeMethod method : kRangeMethods) {
    EXPECT_LE(best, 1.02 * squared_error(values, histogram.grid(method))) << to_string(method);
    // What the histogram says of a grid is what the values say.
    const ActivationGrid grid = histogram.grid(method);
    EXPECT_NEAR(histogram.mean_squared_error(grid), squared_error(values, grid), 0.1 * squared_error(values, grid));
  }
}

TEST(Histogram, percentile_and_entropy_clip_far_outliers) {
  std::vector<float> values = gaussian(200000, 3);
  for (int i = 0; i < 5; ++i) values[static_cast<std::size_t>(i)] = 1000;
  ActivationHistogram histogram;
  histogram.add(values);
  EXPECT_LT(histogram.grid(RangeMethod::kPercentile).scale, 10.0F / 255);
  EXPECT_LT(histogram.grid(RangeMethod::kEntropy).scale, 200.0F / 255);
}

TEST(Histogram, sentinels_are_counted_and_left_out) {
  const float inf = std::numeric_limits<float>::infinity();
  ActivationHistogram histogram;
  histogram.add(std::vector<float>{1, -3.4e38F, 2, -inf, std::nanf("")});
  EXPECT_EQ(histogram.count(), 2);
  EXPECT_EQ(histogram.sentinels(), 3);
  EXPECT_EQ(histogram.largest(), 2);
  EXPECT_EQ(histogram.least(), 1);
}

}  // namespace
}  // namespace mpq::quant
