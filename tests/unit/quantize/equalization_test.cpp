#include "quantize/equalization.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quantize/activation_range.h"
#include "support/random.h"

namespace mpq::quant {
namespace {

using ::testing::Each;

Matrix gaussian(Eigen::Index rows, Eigen::Index columns, std::uint64_t stream) {
  Matrix result(rows, columns);
  fill_gaussian(Philox(5, stream), {result.data(), static_cast<std::size_t>(result.size())});
  return result;
}

InputExtremes extremes_of(const std::vector<Matrix>& runs) {
  InputExtremes seen(static_cast<Eigen::Index>(runs.size()), runs[0].cols());
  for (std::size_t run = 0; run < runs.size(); ++run) seen.add(static_cast<Eigen::Index>(run), runs[run]);
  return seen;
}

/// Simulates what the error formula is about: input and weights rounded, one after the other.
double simulated_error(const std::vector<Matrix>& runs, const Matrix& weight, const std::vector<float>& factors,
                       double steps) {
  const auto stretch = Eigen::Map<const Eigen::RowVectorXf>(factors.data(), weight.cols());
  Matrix stretched = weight.array().rowwise() * stretch.array();
  for (Eigen::Index r = 0; r < stretched.rows(); ++r) {
    const float scale = stretched.row(r).cwiseAbs().maxCoeff() / static_cast<float>(steps);
    stretched.row(r) = (stretched.row(r) / scale).array().round() * scale;
  }
  double sum = 0;
  for (const Matrix& rows : runs) {
    Matrix divided = rows.array().rowwise() / stretch.array();
    round_to_grid({divided.data(), static_cast<std::size_t>(divided.size())},
                  grid_over(double(divided.minCoeff()), double(divided.maxCoeff())));
    sum += double((divided * stretched.transpose() - rows * weight.transpose()).squaredNorm());
  }
  return sum;
}

/// Every sixteenth channel is thirty times as large as the others.
std::vector<Matrix> runs_with_outliers(std::uint64_t stream) {
  std::vector<Matrix> runs;
  for (std::uint64_t run = 0; run < 4; ++run) {
    Matrix& rows = runs.emplace_back(gaussian(64, 64, stream + run));
    for (Eigen::Index c = 0; c < rows.cols(); c += 16) rows.col(c) *= 30;
  }
  return runs;
}

TEST(Equalization, HasTheLeastErrorThatWasExpected) {
  const Matrix weight = gaussian(32, 64, 1);
  for (const double steps : {127.0, 7.0}) {
    const Equalization found = equalize(extremes_of(runs_with_outliers(10)), {{weight, steps}});
    const std::vector<Matrix> others = runs_with_outliers(20);  // never seen
    const std::vector<float> ones(64, 1);
    const double ratio =
        simulated_error(others, weight, found.factors, steps) / simulated_error(others, weight, ones, steps);
    EXPECT_LT(found.gain, .6) << steps;
    EXPECT_NEAR(ratio / found.gain, 1, .35) << steps;
  }
}

TEST(Equalization, BeatsEveryFactorOfSmoothQuant) {
  const Matrix weight = gaussian(32, 64, 1);
  const std::vector<Matrix> runs = runs_with_outliers(10);
  const InputExtremes seen = extremes_of(runs);
  const double found = simulated_error(runs, weight, equalize(seen, {{weight, 127}}).factors, 127);
  for (const float alpha : {.25F, .5F, .75F}) {
    std::vector<float> factors;
    for (Eigen::Index c = 0; c < 64; ++c) {
      const float reach = seen.above.col(c).cwiseMax(seen.below.col(c)).maxCoeff();
      factors.push_back(std::pow(reach, alpha) / std::pow(weight.col(c).cwiseAbs().maxCoeff(), 1 - alpha));
    }
    EXPECT_LT(found, 1.02 * simulated_error(runs, weight, factors, 127)) << alpha;
  }
}

TEST(Equalization, KnowsWhatTheInputMakesOfTheError) {
  const Matrix weight = gaussian(32, 64, 1);
  const InputExtremes seen = extremes_of(runs_with_outliers(10));
  const double fine = equalize(seen, {{weight, 127}}).input_share, coarse = equalize(seen, {{weight, 3}}).input_share;
  EXPECT_NEAR(fine / (1 - fine) / (coarse / (1 - coarse)), 127.0 * 127 / 9, 1);  // the weights' part goes by steps^-2
}

TEST(Equalization, FactorsHaveAGeometricMeanOfOne) {
  double sum = 0;
  for (const float factor : equalize(extremes_of(runs_with_outliers(10)), {{gaussian(8, 64, 1), 127}}).factors)
    sum += std::log(double(factor));
  EXPECT_NEAR(sum, 0, 1e-4);
}

TEST(Equalization, LeavesWhatHasNoRangeOrNoWeights) {
  const Matrix weight = gaussian(8, 64, 1);
  const std::vector<Matrix> silent(2, Matrix::Zero(4, 64));
  EXPECT_THAT(equalize(extremes_of(silent), {{weight, 127}}).factors, Each(1));
  const Matrix nothing = Matrix::Zero(8, 64);
  EXPECT_THAT(equalize(extremes_of(runs_with_outliers(3)), {{nothing, 127}}).factors, Each(1));
}

TEST(Equalization, SurvivesDeadChannels) {
  std::vector<Matrix> runs = runs_with_outliers(10);
  for (Matrix& rows : runs) rows.col(5).setZero();
  Matrix weight = gaussian(8, 64, 1);
  weight.col(7).setZero();
  for (const float factor : equalize(extremes_of(runs), {{weight, 127}}).factors) {
    EXPECT_TRUE(std::isfinite(factor));
    EXPECT_GT(factor, 0);
  }
}

}  // namespace
}  // namespace mpq::quant
