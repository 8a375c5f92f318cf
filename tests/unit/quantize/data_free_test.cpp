#include "quantize/data_free.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "layers.h"
#include "quantize/layer_rounding.h"
#include "support/random.h"

namespace mpq::quant {
namespace {

constexpr std::size_t kRows = 50, kTaps = 4, kChannels = 2, kInputs = kTaps * kChannels;

std::vector<float> gaussians(std::uint64_t key, std::size_t count) {
  std::vector<float> values(count);
  fill_gaussian(Philox(key), values);
  return values;
}

/// Rows of inputs: Gaussian, or, as behind a ReLU, none below zero.
std::vector<float> rows_of(bool positive) {
  std::vector<float> rows = gaussians(3, kRows * kInputs);
  for (float& value : rows) value = positive ? std::fabs(value) : value;
  return rows;
}

InputStatistics seen(const std::vector<float>& rows) {
  InputStatistics inputs(1, kInputs);
  const std::span<const float> all(rows);
  inputs.add(0, true, all.first(rows.size() / 2), kRows / 2);
  inputs.add(0, false, all.subspan(rows.size() / 2), kRows / 2);
  return inputs;
}

/// What data-free rounding minimises, from the rows themselves.
double objective(const std::vector<double>& error, const std::vector<float>& rows, bool channels_go_together) {
  double squares = 0, sum = 0, kernels = 0, energy = 0, outputs = 0;
  for (const double e : error) squares += e * e, sum += e;
  for (std::size_t c = 0; c < kChannels; ++c) {
    double kernel = 0;
    for (std::size_t t = 0; t < kTaps; ++t) kernel += error[c * kTaps + t];
    kernels += kernel * kernel;
  }
  for (std::size_t row = 0; row < kRows; ++row) {
    double output = 0;
    for (std::size_t k = 0; k < kInputs; ++k) {
      const auto x = static_cast<double>(rows[row * kInputs + k]);
      output += error[k] * x;
      energy += x * x / kInputs;
    }
    outputs += output * output;
  }
  return squares + kernels + (channels_go_together ? sum * sum : 0) + (energy > 0 ? .1 * outputs / energy : 0);
}

struct Convolution {
  static constexpr std::size_t kOutputs = 24;
  Layer layer = test_layer({kOutputs, kChannels, 2, 2}, {0});
  std::vector<float> weight = gaussians(5, kOutputs* kInputs);

  Convolution() { layer.op = "Conv"; }
  RoundingTask task() const {
    return {weight, layer, grid(3), ScaleFit::kMse, MatrixView::rows_first(1, kOutputs, kInputs)};
  }
  /// Stored less original, of one output.
  std::vector<double> error(const QuantizedTensor& numbers, std::size_t output) const {
    const std::vector<float> stored = dequantize(numbers);
    std::vector<double> result;
    for (std::size_t k = output * kInputs; k < (output + 1) * kInputs; ++k) {
      result.push_back(static_cast<double>(stored[k]) - static_cast<double>(weight[k]));
    }
    return result;
  }
  /// The least objective of all 4^8 roundings to one of the two levels below or the two above.
  double least(const QuantizedTensor& numbers, std::size_t output, const std::vector<float>& rows,
               bool together) const {
    const auto scale = static_cast<double>(scale_of_each_weight(numbers)[output * kInputs]);
    double best = std::numeric_limits<double>::infinity();
    for (std::size_t choice = 0; choice < std::size_t{1} << (2 * kInputs); ++choice) {
      std::vector<double> error;
      for (std::size_t k = 0; k < kInputs; ++k) {
        const auto w = static_cast<double>(weight[output * kInputs + k]);
        const double level = std::floor(w / scale) + static_cast<double>((choice >> (2 * k)) & 3) - 1;
        error.push_back(std::clamp(level, -4., 3.) * scale - w);
      }
      best = std::min(best, objective(error, rows, together));
    }
    return best;
  }
};

TEST(DataFree, GramIsThatOfItsFormula) {
  for (const bool positive : {false, true}) {
    const std::vector<float> rows = rows_of(positive);
    InputStatistics inputs = seen(rows);
    Moments2 all = inputs.fit[0];
    all += inputs.held_out[0];
    const DoubleMatrix gram = data_free_gram(all, kTaps, .1);
    const std::vector<float> errors = gaussians(9, kInputs);
    const std::vector<double> error(errors.begin(), errors.end());
    double found = 0;
    for (std::size_t i = 0; i < kInputs; ++i) {
      for (std::size_t j = 0; j < kInputs; ++j) {
        found += error[i] * gram(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) * error[j];
      }
    }
    const double expected = objective(error, rows, positive);
    EXPECT_NEAR(found, expected, 1e-5 * expected);
  }
}

TEST(DataFree, RoundsCloseToTheBestOfAllRoundings) {
  const Convolution c;
  for (const bool positive : {false, true}) {
    const std::vector<float> rows = rows_of(positive);
    const LayerRounding rounding = round_data_free(c.task(), seen(rows), .1);
    EXPECT_EQ(to_string(rounding.method), "data-free");
    const QuantizedTensor nearest = quantize_grid(c.weight, c.layer, grid(3));
    EXPECT_EQ(rounding.numbers.scales, nearest.scales);
    double found = 0, before = 0, best = 0;
    for (std::size_t output = 0; output < Convolution::kOutputs; output += 4) {
      found += objective(c.error(rounding.numbers, output), rows, positive);
      before += objective(c.error(nearest, output), rows, positive);
      best += c.least(nearest, output, rows, positive);
    }
    EXPECT_GE(found, best * (1 - 1e-6));
    EXPECT_LT(found, 1.05 * best);
    EXPECT_GT(before, 1.15 * best);
  }
}

TEST(DataFree, InputsOfZerosLeaveNoFlipThatHelps) {
  const Convolution c;
  const std::vector<float> rows(kRows * kInputs, 0.F);
  const LayerRounding rounding = round_data_free(c.task(), seen(rows), .1);
  int moved = 0;
  for (std::size_t output = 0; output < Convolution::kOutputs; ++output) {
    std::vector<double> error = c.error(rounding.numbers, output);
    const auto scale = static_cast<double>(scale_of_each_weight(rounding.numbers)[output * kInputs]);
    const double reached = objective(error, rows, false);
    for (std::size_t k = 0; k < kInputs; ++k) {
      moved += std::fabs(error[k]) > .5001 * std::fabs(scale) ? 1 : 0;
      for (const int step : {-1, 1}) {
        const int level = rounding.numbers.values[output * kInputs + k] + step;
        if (level < -4 || level > 3) continue;
        error[k] += step * scale;
        EXPECT_GE(objective(error, rows, false), reached * (1 - 1e-5));
        error[k] -= step * scale;
      }
    }
  }
  EXPECT_GT(moved, 10);
}

}  // namespace
}  // namespace mpq::quant
