#include "analyze/settle.h"

#include <cmath>

#include <gtest/gtest.h>

#include "support/random.h"

namespace mpq::perturb {
namespace {

std::vector<double> around(double mean, double spread, std::uint64_t key, std::size_t count) {
  std::vector<float> noise(count);
  fill_gaussian(Philox(key), noise);
  std::vector<double> values;
  for (const float z : noise) values.push_back(mean + spread * static_cast<double>(z));
  return values;
}

std::vector<std::span<const double>> views(const std::vector<std::vector<double>>& rows) {
  return {rows.begin(), rows.end()};
}

TEST(RankingSettled, WideGapsAreDecidedByFewTrials) {
  const std::vector<std::vector<double>> rows = {{1.0, 1.1, 0.9, 1.0}, {5.0, 5.2, 4.9, 5.1}, {0.1, 0.11, 0.1, 0.09}};
  EXPECT_TRUE(ranking_settled(views(rows)));
}

TEST(RankingSettled, NoiseLargerThanTheGapIsNot) {
  const std::vector<std::vector<double>> rows = {{1, 3, 1, 3, 1, 3, 1, 3}, {3, 1.4, 3, 1.4, 3, 1.4, 3, 1.4}};
  EXPECT_FALSE(ranking_settled(views(rows)));
}

TEST(RankingSettled, AsksMoreOfFewTrials) {
  // A gap of 2.5 standard errors: enough for many trials, not for four (t = 3.18 with three degrees of freedom).
  const std::vector<double> zero(4, 0.0);
  const std::vector<double> four = {2.5 - std::sqrt(3.0), 2.5 + std::sqrt(3.0), 2.5 - std::sqrt(3.0),
                                    2.5 + std::sqrt(3.0)};
  EXPECT_FALSE(ranking_settled(views({zero, four})));
  std::vector<double> many;
  for (int i = 0; i < 30; ++i) many.push_back(2.5 + (i % 2 == 0 ? 1 : -1) * std::sqrt(29.0));
  EXPECT_TRUE(ranking_settled(views({std::vector<double>(30, 0.0), many})));
}

TEST(RankingSettled, CommonRandomNumbersDecideWhatLevelsCannot) {
  // The samples' own spread is ten times the gap, but both layers see the same samples.
  const std::vector<double> common = around(10, 3, 3, 8);
  std::vector<double> other = common;
  for (std::size_t k = 0; k < other.size(); ++k) other[k] += 0.3 + (k % 2 == 0 ? 0.01 : -0.01);
  EXPECT_TRUE(ranking_settled(views({common, other})));
}

TEST(RankingSettled, EqualLayersNeedNoOrder) {
  const std::vector<std::vector<double>> rows = {{1.0, 2.0, 1.5}, {1.01, 1.99, 1.5}, {0, 0, 0}, {0, 0, 0}};
  EXPECT_TRUE(ranking_settled(views(rows)));
}

TEST(RankingSettled, OneTrialDecidesNothing) {
  EXPECT_FALSE(ranking_settled(views({{1.0}, {100.0}})));
  EXPECT_FALSE(ranking_settled(views({{1.0}})));
}

TEST(Precise, ComparesStandardErrorAndMean) {
  EXPECT_TRUE(precise({{1.0, 1.01, 0.99, 1.0}, {0, 0, 0, 0}}));
  EXPECT_FALSE(precise({{1.0, 1.01, 0.99, 1.0}, {1.0, 2.0, 3.0, 1.0}}));
  EXPECT_FALSE(precise({{1.0}}));
}

TEST(RankStability, IsOneForAConsistentRankingAndLowForNoise) {
  EXPECT_DOUBLE_EQ(rank_stability(views({{1, 2, 1, 2}, {3, 4, 3, 4}, {9, 8, 9, 8}})), 1.0);
  EXPECT_DOUBLE_EQ(rank_stability(views({{1, 3}, {2, 2}, {3, 1}})), -1.0);
  EXPECT_DOUBLE_EQ(rank_stability(views({{1}, {2}})), 0.0);
}

}  // namespace
}  // namespace mpq::perturb
