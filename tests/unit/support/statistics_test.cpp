#include "support/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "mpq/error.h"

namespace mpq {
namespace {

using Values = std::vector<double>;

// Expected numbers without a derivation were computed with NumPy and SciPy.

TEST(MeanAndError, MatchesKnownValues) {
  const MeanError result = mean_and_error(Values{3.5, -1, 2, 10, 7, 7});
  EXPECT_DOUBLE_EQ(result.mean, 4.75);
  EXPECT_DOUBLE_EQ(result.standard_error, 1.631716887208072);
}

TEST(MeanAndError, HasNoErrorBelowTwoValues) {
  EXPECT_EQ(mean_and_error({}).mean, 0);
  EXPECT_EQ(mean_and_error(Values{4}).mean, 4);
  EXPECT_EQ(mean_and_error(Values{4}).standard_error, 0);
}

TEST(MeanAndError, KeepsSmallSpreadsOnLargeMeans) {
  const MeanError result = mean_and_error(Values{1e9 + 1, 1e9 + 2, 1e9 + 3});
  EXPECT_DOUBLE_EQ(result.standard_error, 1 / std::sqrt(3.0));
}

TEST(Quantile, InterpolatesLinearlyLikeNumPy) {
  const Values values{3.5, -1, 2, 10, 7, 7};
  EXPECT_DOUBLE_EQ(quantile(values, 0), -1);
  EXPECT_DOUBLE_EQ(quantile(values, 0.1), 0.5);
  EXPECT_DOUBLE_EQ(quantile(values, 0.25), 2.375);
  EXPECT_DOUBLE_EQ(quantile(values, 0.5), 5.25);
  EXPECT_DOUBLE_EQ(quantile(values, 0.9), 8.5);
  EXPECT_DOUBLE_EQ(quantile(values, 1), 10);
  EXPECT_DOUBLE_EQ(quantile({2}, 0.3), 2);
}

TEST(Quantile, RefusesWhatHasNoQuantile) {
  EXPECT_THROW(quantile({}, 0.5), Error);
  EXPECT_THROW(quantile({1}, 1.5), Error);
  EXPECT_THROW(quantile({1}, std::nan("")), Error);
}

TEST(Spearman, MatchesSciPyWithTies) {
  EXPECT_NEAR(spearman(Values{1, 2, 2, 3, 5, 4, 4, 4}, Values{2, 1, 3, 3, 4, 4, 6, 5}), 0.8013813714460625, 1e-14);
  EXPECT_NEAR(spearman(Values{3, 1, 4, 1, 5, 9, 2, 6}, Values{2, 7, 1, 8, 2, 8, 1, 8}), 0.19885368120992467, 1e-14);
}

TEST(Spearman, IsOneForEqualAndMinusOneForReversedOrder) {
  EXPECT_EQ(spearman(Values{1, 5, 9, 30}, Values{-2, 0, 1, 1e9}), 1);
  EXPECT_EQ(spearman(Values{1, 5, 9, 30}, Values{4, 3, 2, 1}), -1);
}

TEST(Spearman, OfConstantListsIsOneTogetherAndZeroAlone) {
  EXPECT_EQ(spearman(Values{2, 2, 2}, Values{7, 7, 7}), 1);
  EXPECT_EQ(spearman(Values{2, 2, 2}, Values{1, 2, 3}), 0);
  EXPECT_EQ(spearman(Values{2}, Values{1}), 1);
  EXPECT_THROW(spearman(Values{2}, Values{1, 2}), Error);
}

/// Rank of each value by counting: number of smaller ones plus half of the equal others.
Values counted_ranks(const Values& values) {
  Values ranks;
  for (const double v : values) {
    const auto below = std::count_if(values.begin(), values.end(), [&](double w) { return w < v; });
    const auto equal = std::count(values.begin(), values.end(), v);
    ranks.push_back(static_cast<double>(below) + 0.5 * static_cast<double>(equal - 1));
  }
  return ranks;
}

double pearson(const Values& x, const Values& y) {
  const double mean_x = mean_and_error(x).mean, mean_y = mean_and_error(y).mean;
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  return xy / std::sqrt(xx * yy);
}

TEST(Spearman, AgreesWithBruteForceOnRandomListsWithTies) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    const std::size_t n = 3 + random() % 40;
    Values a(n), b(n);
    for (std::size_t i = 0; i < n; ++i) {
      a[i] = static_cast<double>(random() % 7);
      b[i] = static_cast<double>(random() % 5) + 0.5 * a[i];
    }
    const double expected = pearson(counted_ranks(a), counted_ranks(b));
    if (std::isnan(expected)) continue;
    ASSERT_NEAR(spearman(a, b), expected, 1e-12);
  }
}

TEST(Wilson, MatchesSciPy) {
  const auto expect = [](std::int64_t k, std::int64_t n, double low, double high) {
    EXPECT_NEAR(wilson(k, n).first, low, 1e-12);
    EXPECT_NEAR(wilson(k, n).second, high, 1e-12);
  };
  expect(0, 10, 0, 0.27753279986288926);
  expect(1, 10, 0.017876213095072896, 0.4041500267952385);
  expect(81, 263, 0.2552885198782742, 0.36620957698280004);
  expect(9, 10, 0.5958499732047615, 0.9821237869049271);
  expect(10, 10, 0.7224672001371109, 1);
  expect(500, 1000, 0.4690696003681042, 0.5309303996318958);
}

TEST(Wilson, KnowsNothingWithoutTrialsAndRefusesNonsense) {
  EXPECT_EQ(wilson(0, 0), (std::pair<double, double>(0, 1)));
  EXPECT_THROW(wilson(3, 2), Error);
  EXPECT_THROW(wilson(-1, 2), Error);
}

TEST(McNemar, MatchesTheExactBinomialTestOfSciPy) {
  EXPECT_DOUBLE_EQ(mcnemar_exact(0, 0), 1);
  EXPECT_DOUBLE_EQ(mcnemar_exact(0, 1), 1);
  EXPECT_DOUBLE_EQ(mcnemar_exact(5, 5), 1);
  EXPECT_NEAR(mcnemar_exact(1, 9), 0.021484375, 1e-14);
  EXPECT_NEAR(mcnemar_exact(9, 1), 0.021484375, 1e-14);
  EXPECT_NEAR(mcnemar_exact(3, 12), 0.03515625, 1e-14);
  EXPECT_NEAR(mcnemar_exact(20, 45) / 0.0026263768106840374, 1, 1e-11);
  EXPECT_NEAR(mcnemar_exact(121, 59) / 4.4344492637551645e-06, 1, 1e-11);
  EXPECT_NEAR(mcnemar_exact(1000, 1100) / 0.03072070786424249, 1, 1e-10);
  EXPECT_NEAR(mcnemar_exact(0, 60) / 1.734723475976807e-18, 1, 1e-11);
}

TEST(McNemar, AgreesWithTheSumOfBinomialCoefficients) {
  for (int n = 1; n <= 50; ++n) {
    double tail = 0, coefficient = 1;
    for (int k = 0; 2 * k < n; ++k) {
      tail += coefficient;
      EXPECT_NEAR(mcnemar_exact(k, n - k), std::min(1.0, 2 * tail * std::pow(0.5, n)), 1e-12) << k << " of " << n;
      coefficient = coefficient * (n - k) / (k + 1);
    }
  }
}

}  // namespace
}  // namespace mpq
