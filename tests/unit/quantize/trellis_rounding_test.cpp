#include "quantize/trellis_rounding.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "layers.h"
#include "quantize/group_rounding.h"
#include "support/random.h"

namespace mpq::quant {
namespace {

using Eigen::Index;

const std::vector<std::int8_t> kEntries = {-100, -60, -33, -10, 11, 30, 64, 99};

Matrix gaussians(std::uint64_t key, Index rows, Index columns) {
  Matrix result(rows, columns);
  fill_gaussian(Philox(key, 0), std::span(result.data(), static_cast<std::size_t>(result.size())));
  return result;
}

/// Of inputs that go together in pairs.
DoubleMatrix gram(std::uint64_t key, Index columns) {
  Matrix inputs = gaussians(key, 4 * columns, columns);
  for (Index k = 1; k < columns; k += 2) inputs.col(k) = .9F * inputs.col(k - 1) + .3F * inputs.col(k);
  return (inputs.transpose() * inputs).cast<double>();
}

struct Problem {
  TrellisProblem trellis;
  std::vector<DoubleMatrix> grams;
  std::vector<SecondOrder> views;

  Problem(std::size_t groups, Index rows, Index columns) {
    trellis.entries = kEntries;
    for (std::size_t g = 0; g < groups; ++g) {
      trellis.weights.push_back(gaussians(g + 1, rows, columns));
      trellis.scales.emplace_back(Matrix::Constant(rows, columns, .02F + .001F * static_cast<float>(g)));
      grams.push_back(gram(100 + g, columns));
    }
    views = views_in_one_order(grams, .01, groups * static_cast<std::size_t>(rows));
  }

  double error(const std::vector<Matrix>& taken) const {
    double sum = 0;
    for (std::size_t g = 0; g < taken.size(); ++g) {
      const DoubleMatrix e = (taken[g].cwiseProduct(trellis.scales[g]) - trellis.weights[g]).cast<double>();
      sum += (e * grams[g]).cwiseProduct(e).sum();
    }
    return sum;
  }
  /// The entries as the stream has them; throws where no path does.
  void follow(const std::vector<Matrix>& taken) const {
    std::vector<std::uint8_t> numbers;
    for (Index k = 0; k < taken[0].cols(); ++k) {
      for (const Matrix& group : taken) {
        for (Index r = 0; r < group.rows(); ++r) {
          const auto found = std::find(kEntries.begin(), kEntries.end(), static_cast<std::int8_t>(group(r, k)));
          ASSERT_NE(found, kEntries.end());
          numbers.push_back(static_cast<std::uint8_t>(found - kEntries.begin()));
        }
      }
    }
    trellis_codes(numbers);
  }
};

TEST(TrellisRounding, SecondOrderLeavesLessOfTheOutput) {
  const Problem problem(1, 70, 150);  // more columns than a block
  const std::vector<Matrix> nearest = round_trellis(problem.trellis);
  const std::vector<Matrix> rounded = round_trellis(problem.trellis, problem.views);
  problem.follow(nearest);
  problem.follow(rounded);
  EXPECT_LT(problem.error(rounded), .6 * problem.error(nearest));
}

TEST(TrellisRounding, GroupsWithGramsOfTheirOwnShareTheStream) {
  for (const Index rows : {1, 5}) {
    const Problem problem(24, rows, 9);
    const std::vector<Matrix> rounded = round_trellis(problem.trellis, problem.views);
    problem.follow(rounded);
    EXPECT_LT(problem.error(rounded), .7 * problem.error(round_trellis(problem.trellis))) << rows;
  }
}

/// With uncorrelated inputs of one size no column can make up for another.
TEST(TrellisRounding, UncorrelatedInputsLeaveNothingToMakeUpFor) {
  Problem problem(1, 64, 40);
  problem.grams[0] = DoubleMatrix::Identity(40, 40);
  problem.views = views_in_one_order(problem.grams, .01, 64);
  const double nearest = problem.error(round_trellis(problem.trellis));
  const double rounded = problem.error(round_trellis(problem.trellis, problem.views));
  EXPECT_NEAR(rounded, nearest, .03 * nearest);
}

TEST(TrellisRounding, AGroupWithoutInputsDoesNotSpoilTheOthers) {
  Problem problem(8, 4, 9);
  problem.grams[3].setZero();
  problem.views = views_in_one_order(problem.grams, .01, 64);
  EXPECT_LT(problem.error(round_trellis(problem.trellis, problem.views)),
            .7 * problem.error(round_trellis(problem.trellis)));
}

TEST(TrellisRounding, TheStreamRunsAlongTheRowsOfProductsAndConvolutions) {
  EXPECT_TRUE(runs_along_rows(test_layer({12, 20}, {1}), MatrixView::columns_first(12, 20)));
  EXPECT_TRUE(runs_along_rows(test_layer({20, 3, 2, 2}, {0}), MatrixView::rows_first(1, 20, 12)));
  EXPECT_TRUE(runs_along_rows(test_layer({20, 3, 2, 2}, {0}), MatrixView::rows_first(4, 5, 12)));
  EXPECT_FALSE(runs_along_rows(test_layer({20, 12}, {0}), MatrixView::columns_first(20, 12)));
  Layer table = test_layer({20, 12}, {0});
  table.op = "Gather";
  EXPECT_FALSE(runs_along_rows(table, MatrixView::rows_first(1, 20, 12)));
}

}  // namespace
}  // namespace mpq::quant
