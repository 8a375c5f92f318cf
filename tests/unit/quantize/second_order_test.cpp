#include "quantize/second_order.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include <Eigen/Dense>
#include <gtest/gtest.h>

#include "support/random.h"

namespace mpq::quant {
namespace {

using Eigen::Index;

Matrix gaussian(std::uint64_t key, Index rows, Index columns) {
  std::vector<float> values(static_cast<std::size_t>(rows * columns));
  fill_gaussian(Philox(key), values);
  return Eigen::Map<const Matrix>(values.data(), rows, columns);
}

/// Gram of correlated inputs: mixed Gaussians of unequal energy.
DoubleMatrix correlated_gram(std::uint64_t key, Index columns, Index samples) {
  const Matrix mixed = gaussian(key, samples, columns) * gaussian(key + 1, columns, columns);
  const DoubleMatrix x = mixed.cast<double>();
  return x.transpose() * x / static_cast<double>(samples);
}

GridProblem problem_of(std::uint64_t key, Index rows, Index columns, int bits) {
  GridProblem problem{gaussian(key, rows, columns), Matrix(rows, columns), IntegerRange(bits)};
  for (Index r = 0; r < rows; ++r) {
    problem.scales.row(r).setConstant(problem.weights.row(r).cwiseAbs().maxCoeff() /
                                      static_cast<float>(-problem.range.low));
  }
  return problem;
}

/// tr(E gram E'), one product at a time.
double objective(const GridProblem& problem, const DoubleMatrix& gram, const Matrix& integers) {
  double sum = 0;
  for (Index r = 0; r < integers.rows(); ++r) {
    for (Index i = 0; i < gram.rows(); ++i) {
      for (Index j = 0; j < gram.rows(); ++j) {
        const auto e = [&](Index k) {
          return static_cast<double>(integers(r, k) * problem.scales(r, k) - problem.weights(r, k));
        };
        sum += e(i) * gram(i, j) * e(j);
      }
    }
  }
  return sum;
}

DoubleMatrix damped(DoubleMatrix gram, double damping) {
  gram.diagonal().array() += damping * gram.diagonal().mean();
  return gram;
}

/// GPTQ as its paper states it: the inverse of the damped Gram, columns of largest energy first, and after each one the
/// error moved into the columns left by the row of the inverse, which is then reduced.
Matrix textbook_gptq(const GridProblem& problem, const DoubleMatrix& gram, double damping) {
  const Index n = gram.rows();
  DoubleMatrix inverse = damped(gram, damping).inverse();
  DoubleMatrix weights = problem.weights.cast<double>();
  std::vector<Index> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), Index{0});
  std::sort(order.begin(), order.end(), [&](Index a, Index b) { return gram(a, a) > gram(b, b); });
  Matrix integers(weights.rows(), n);
  for (const Index k : order) {
    for (Index r = 0; r < weights.rows(); ++r) {
      const double scale = problem.scales(r, k);
      const double q = std::clamp(std::nearbyint(weights(r, k) / scale), static_cast<double>(problem.range.low),
                                  static_cast<double>(problem.range.high));
      integers(r, k) = static_cast<float>(q);
      const double error = weights(r, k) - q * scale;
      weights.row(r) -= error / inverse(k, k) * inverse.row(k);
    }
    const Eigen::VectorXd column = inverse.col(k);
    inverse -= column * column.transpose() / inverse(k, k);
  }
  return integers;
}

TEST(SecondOrder, UncorrelatedInputsGiveNearest) {
  const GridProblem problem = problem_of(1, 7, 150, 4);
  const DoubleMatrix identity = DoubleMatrix::Identity(150, 150) * 3e-9;
  EXPECT_EQ(SecondOrder(identity, .1).round(problem).integers, round_to_nearest(problem));
}

TEST(SecondOrder, GivesTheIntegersOfTheTextbookAlgorithm) {
  for (const Index columns : {5, 40, 300}) {  // one block and several
    const GridProblem problem = problem_of(10, 4, columns, 3);
    const DoubleMatrix gram = correlated_gram(20, columns, 2 * columns);
    const Matrix found = SecondOrder(gram, .1).round(problem).integers;
    const Matrix expected = textbook_gptq(problem, gram, .1);
    // Single precision may tip a number that lies halfway, and then those after it.
    EXPECT_GT((found.array() == expected.array()).cast<double>().mean(), columns > 100 ? .9 : .999) << columns;
    EXPECT_NEAR(objective(problem, gram, found) / objective(problem, gram, expected), 1, .01) << columns;
  }
}

TEST(SecondOrder, ScalesMayDifferFromBlockToBlock) {
  GridProblem problem = problem_of(30, 3, 64, 3);
  problem.scales.rightCols(32) *= .5F;
  const DoubleMatrix gram = correlated_gram(31, 64, 200);
  EXPECT_EQ(SecondOrder(gram, .3).round(problem).integers, textbook_gptq(problem, gram, .3));
}

TEST(SecondOrder, NoRoundingBeatsTheBestOfAll) {
  int better = 0;
  for (std::uint64_t key = 100; key < 120; ++key) {
    const GridProblem problem = problem_of(key, 1, 5, 2);
    const DoubleMatrix gram = correlated_gram(1000 + 2 * key, 5, 8);
    double best = std::numeric_limits<double>::infinity();
    Matrix integers(1, 5);
    for (int code = 0; code < 1024; ++code) {  // 4 values for each of 5 weights
      for (int k = 0; k < 5; ++k) integers(0, k) = static_cast<float>((code >> (2 * k)) % 4 - 2);
      best = std::min(best, objective(problem, gram, integers));
    }
    const SecondOrder view(gram, .01);
    Matrix found = view.round(problem).integers;
    EXPECT_GE(objective(problem, gram, found), best * (1 - 1e-5));
    view.descend(problem, 10, found);
    const double polished = objective(problem, gram, found);
    EXPECT_GE(polished, best * (1 - 1e-5));
    if (polished < objective(problem, gram, round_to_nearest(problem)) * (1 - 1e-5)) ++better;
  }
  EXPECT_GE(better, 10);
}

TEST(SecondOrder, DescentEndsWhereNoSingleChangeHelps) {
  const GridProblem problem = problem_of(40, 3, 12, 3);
  const DoubleMatrix gram = correlated_gram(41, 12, 30);
  Matrix integers = round_to_nearest(problem);
  const double before = objective(problem, gram, integers);
  EXPECT_GT(SecondOrder(gram, 0).descend(problem, 100, integers), 0U);
  const double after = objective(problem, gram, integers);
  EXPECT_LT(after, before);
  for (Index r = 0; r < 3; ++r) {
    for (Index k = 0; k < 12; ++k) {
      for (int q = problem.range.low; q <= problem.range.high; ++q) {
        Matrix changed = integers;
        changed(r, k) = static_cast<float>(q);
        EXPECT_GE(objective(problem, gram, changed), after * (1 - 1e-3));
      }
    }
  }
}

TEST(SecondOrder, HopelessGramsAreToldApart) {
  EXPECT_FALSE(SecondOrder(DoubleMatrix::Zero(4, 4), .1).valid());
  DoubleMatrix odd = DoubleMatrix::Identity(4, 4);
  odd(2, 2) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(SecondOrder(odd, .1).valid());
  // Fewer samples than inputs: damping makes up for the missing directions.
  EXPECT_TRUE(SecondOrder(correlated_gram(50, 30, 3), .01).valid());
}

}  // namespace
}  // namespace mpq::quant
