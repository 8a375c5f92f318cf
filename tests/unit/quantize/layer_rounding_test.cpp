#include "quantize/layer_rounding.h"

#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "layers.h"
#include "support/random.h"

namespace mpq::quant {
namespace {

std::vector<float> gaussians(std::uint64_t key, std::size_t count) {
  std::vector<float> values(count);
  fill_gaussian(Philox(key), values);
  return values;
}

/// Rows of inputs that all carry one strong common factor and a mean.
std::vector<float> correlated_rows(std::uint64_t key, std::size_t rows, std::size_t columns, float mean) {
  std::vector<float> values = gaussians(key, rows * columns);
  const std::vector<float> factors = gaussians(key + 1, rows);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = .3F * values[i] + factors[i / columns] + mean;
  return values;
}

/// |W' x - W x - correction|^2 over the rows, for weights stored [inputs, outputs].
double damage(const std::vector<float>& weight, const LayerRounding& rounding, const std::vector<float>& rows,
              std::size_t inputs, std::size_t outputs) {
  const std::vector<float> stored = dequantize(rounding.numbers);
  double sum = 0;
  for (std::size_t row = 0; row < rows.size() / inputs; ++row) {
    for (std::size_t o = 0; o < outputs; ++o) {
      double y = rounding.mean_error.empty() ? 0 : -rounding.mean_error[o];
      for (std::size_t k = 0; k < inputs; ++k) {
        y += static_cast<double>(stored[k * outputs + o] - weight[k * outputs + o]) * rows[row * inputs + k];
      }
      sum += y * y;
    }
  }
  return sum;
}

struct Case {
  static constexpr std::size_t kInputs = 64, kOutputs = 12, kRows = 400;
  Layer layer = test_layer({kInputs, kOutputs}, {1}, 0);
  std::vector<float> weight = gaussians(5, kInputs* kOutputs);
  MatrixView view = MatrixView::columns_first(kInputs, kOutputs);
  InputStatistics inputs{1, kInputs};

  explicit Case(float mean = 0) {
    inputs.add(0, true, correlated_rows(7, kRows, kInputs, mean), kRows);
    inputs.add(0, false, correlated_rows(9, kRows, kInputs, mean), kRows);
  }
  LayerRounding round(const Candidate& candidate, bool has_bias) const {
    return choose_rounding(task(candidate, has_bias), inputs);
  }
  RoundingTask task(const Candidate& candidate, bool has_bias, bool fits_scales = false) const {
    return {weight, layer, candidate, ScaleFit::kMse, view, has_bias, fits_scales};
  }
  double fresh_damage(const LayerRounding& rounding, float mean = 0) const {
    return damage(weight, rounding, correlated_rows(11, kRows, kInputs, mean), kInputs, kOutputs);
  }
};

TEST(LayerRounding, CorrelatedInputsGainOnRowsNeverSeen) {
  const Case c;
  for (const Candidate& candidate : {grid(3), grid(4, 32)}) {
    const LayerRounding rounding = c.round(candidate, false);
    LayerRounding nearest;
    nearest.numbers = quantize_grid(c.weight, c.layer, candidate);
    EXPECT_TRUE(rounding.method.second_order);
    EXPECT_LT(rounding.ratio(), .6);
    EXPECT_LT(c.fresh_damage(rounding), .6 * c.fresh_damage(nearest));
    EXPECT_EQ(rounding.numbers.scales, nearest.numbers.scales);
    EXPECT_EQ(rounding.numbers.values.size(), nearest.numbers.values.size());
    EXPECT_TRUE(rounding.mean_error.empty());
  }
}

TEST(LayerRounding, RowsOfSeveralWidthsAreRoundedEachOnItsOwnGrid) {
  const Case c;
  std::vector<std::uint8_t> widths;
  for (std::size_t r = 0; r < Case::kOutputs; ++r) widths.push_back(static_cast<std::uint8_t>(2 + 2 * (r * 5 % 3)));
  const Candidate candidate = row_candidate(widths);
  const LayerRounding rounding = choose_rounding(c.task(candidate, true, true), c.inputs);
  EXPECT_TRUE(rounding.method.second_order);
  // Rows know nothing of each other: those of one width are those of the layer that has this width everywhere.
  for (const int bits : {2, 4, 6}) {
    const LayerRounding uniform = round_layer(c.task(grid(bits), true, true), c.inputs, rounding.method);
    const LayerRounding mixed = round_layer(c.task(candidate, true, true), c.inputs, rounding.method);
    const std::vector<float> expected = dequantize(uniform.numbers), found = dequantize(mixed.numbers);
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (widths[i % Case::kOutputs] == bits) {
        EXPECT_EQ(found[i], expected[i]) << i;
      }
    }
  }
}

TEST(LayerRounding, RowsMayTakeOtherScales) {
  const Case c;
  const LayerRounding plain = c.round(grid(3), false);
  const LayerRounding fitted = choose_rounding(c.task(grid(3), false, true), c.inputs);
  EXPECT_TRUE(fitted.method.fits_scales);
  EXPECT_LT(fitted.chosen_error, plain.chosen_error);
  EXPECT_LT(c.fresh_damage(fitted), c.fresh_damage(plain));
  EXPECT_EQ(fitted.numbers.scales.size(), plain.numbers.scales.size());
}

TEST(LayerRounding, AllRowsTellMoreThanHalf) {
  const Case c;
  const LayerRounding half = c.round(grid(3), false);
  const LayerRounding all = round_layer(c.task(grid(3), false), c.inputs, half.method);
  EXPECT_EQ(all.method, half.method);
  EXPECT_NE(all.numbers.values, half.numbers.values);
  EXPECT_LT(c.fresh_damage(all), 1.05 * c.fresh_damage(half));
}

TEST(LayerRounding, AMeanErrorGoesIntoTheBias) {
  const Case c(5);
  const LayerRounding with = c.round(grid(3), true), without = c.round(grid(3), false);
  EXPECT_TRUE(with.method.corrects_bias);
  ASSERT_EQ(with.mean_error.size(), Case::kOutputs);
  EXPECT_LT(c.fresh_damage(with, 5), c.fresh_damage(without, 5));
}

TEST(LayerRounding, HeldOutErrorIsWhatTheRowsSay) {
  const Case c;
  const LayerRounding rounding = c.round(grid(3), false);
  LayerRounding nearest;
  nearest.numbers = quantize_grid(c.weight, c.layer, grid(3));
  const double expected =
      damage(c.weight, nearest, correlated_rows(9, Case::kRows, Case::kInputs, 0), Case::kInputs, Case::kOutputs);
  EXPECT_NEAR(rounding.nearest_error / expected, 1, 1e-3);
}

TEST(LayerRounding, RowsThatTellNothingOfTheOthersLeaveNearest) {
  Case c;
  c.inputs = InputStatistics(1, Case::kInputs);
  c.inputs.add(0, true, correlated_rows(7, 2, Case::kInputs, 3), 2);  // two rows for 64 inputs
  c.inputs.add(0, false, gaussians(77, 4000 * Case::kInputs), 4000);
  const LayerRounding rounding = c.round(grid(4), false);
  EXPECT_LE(rounding.chosen_error, rounding.nearest_error);
  EXPECT_TRUE(!rounding.method.second_order || rounding.ratio() < 1);
}

TEST(LayerRounding, GroupsHaveStatisticsOfTheirOwn) {
  // Two groups of two outputs over two inputs each; the first group's inputs are equal, the second's are opposite.
  const Layer layer = test_layer({4, 2}, {0});
  const std::vector<float> weight = {.6F, 1.F, -.4F, 1.F, .6F, 1.F, -.4F, 1.F};
  InputStatistics inputs(2, 2);
  for (const bool fit : {true, false}) {
    inputs.add(0, fit, std::vector<float>{1, 1, -2, -2}, 2);
    inputs.add(1, fit, std::vector<float>{1, -1, -2, 2}, 2);
  }
  const RoundingTask task{weight, layer, grid(2), ScaleFit::kMse, MatrixView::rows_first(2, 2, 2), false, true};
  const LayerRounding rounding = choose_rounding(task, inputs);
  EXPECT_LE(rounding.chosen_error, rounding.nearest_error);
  EXPECT_EQ(rounding.numbers.values.size(), 8U);
}

TEST(WeightMatrix, ScalesStandWhereDequantizingTakesThem) {
  const Layer layer = test_layer({64, 6}, {1}, 0);
  const std::vector<float> weight = gaussians(3, 64 * 6);
  const QuantizedTensor tensor = quantize_grid(weight, layer, grid(4, 32));
  const std::vector<float> scales = scale_of_each_weight(tensor), values = dequantize(tensor);
  ASSERT_EQ(scales.size(), values.size());
  for (std::size_t i = 0; i < scales.size(); ++i)
    EXPECT_EQ(scales[i] * static_cast<float>(tensor.values[i]), values[i]);
}

/// Portions of rows, few at a time and in several threads, against one product in double precision.
TEST(RowCollector, GivesTheStatisticsOfAllRows) {
  constexpr std::size_t kColumns = 200, kRows = 9000;
  const std::vector<float> rows = gaussians(3, kRows * kColumns), before = gaussians(4, rows.size());
  const auto collected = [&](std::size_t at_once, int threads) {
    InputStatistics statistics(1, kColumns, true);
    RowCollector collector(statistics, threads);
    for (std::size_t row = 0; row < kRows; row += at_once) {
      const std::size_t count = std::min(at_once, kRows - row);
      const auto part = [&](const std::vector<float>& all) {
        return std::span(all).subspan(row * kColumns, count * kColumns);
      };
      collector.add(0, true, part(rows), count, part(before));
    }
    collector.flush();
    return statistics;
  };
  const Eigen::Map<const Matrix> x(rows.data(), kRows, kColumns), y(before.data(), kRows, kColumns);
  const DoubleMatrix d = x.cast<double>() - y.cast<double>();
  const InputStatistics found = collected(40, 1);
  EXPECT_EQ(found.fit[0].count, kRows);
  EXPECT_EQ(found.held_out[0].count, 0);
  EXPECT_TRUE(found.fit[0].gram.isApprox(x.cast<double>().transpose() * x.cast<double>(), 1e-5));
  EXPECT_TRUE(found.fit[0].cross.isApprox(x.cast<double>().transpose() * d, 1e-5));
  EXPECT_TRUE(found.fit[0].sum.isApprox(x.cast<double>().colwise().sum().transpose(), 1e-5));
  EXPECT_EQ(found.fit[0].gram, collected(40, 3).fit[0].gram);  // bit by bit
  EXPECT_EQ(found.fit[0].cross, collected(40, 3).fit[0].cross);
}

TEST(InputStatistics, OutputErrorIsTheSumOverTheRows) {
  constexpr std::size_t kRows = 50, kColumns = 40;
  const std::vector<float> rows = correlated_rows(1, kRows, kColumns, 4);
  InputStatistics statistics(1, kColumns);
  statistics.add(0, true, rows, kRows);
  const std::vector<float> numbers = gaussians(2, 3 * kColumns);
  const Matrix error = Eigen::Map<const Matrix>(numbers.data(), 3, kColumns);
  const Eigen::VectorXf shift = Eigen::Vector3f(1, -2, .5F);
  double plain = 0, shifted = 0;
  for (std::size_t row = 0; row < kRows; ++row) {
    const Eigen::Map<const Eigen::VectorXf> x(rows.data() + row * kColumns, kColumns);
    plain += static_cast<double>((error * x).squaredNorm());
    shifted += static_cast<double>((error * x - shift).squaredNorm());
  }
  EXPECT_NEAR(OutputError(statistics.fit[0]).of(error, error) / plain, 1, 1e-4);
  EXPECT_NEAR(OutputError(statistics.fit[0]).of(error, error, shift) / shifted, 1, 1e-4);
}

}  // namespace
}  // namespace mpq::quant
