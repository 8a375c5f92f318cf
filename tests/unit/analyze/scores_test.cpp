#include "analyze/scores.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "support/random.h"

namespace mpq::perturb {
namespace {

std::vector<double> uniforms(std::size_t count, std::uint64_t key) {
  std::vector<float> draws(count);
  fill_uniform(Philox(key), draws);
  return {draws.begin(), draws.end()};
}

TEST(Aggregate, MeanHasTheTextbookStandardError) {
  const std::vector<double> damages = {1, 2, 3, 4};
  const MeanError score = aggregate(damages, {});
  EXPECT_DOUBLE_EQ(score.mean, 2.5);
  EXPECT_DOUBLE_EQ(score.standard_error, std::sqrt(5.0 / 3 / 4));
}

TEST(Aggregate, OneTrialIsAsUncertainAsItIsLarge) {
  const std::vector<double> damages = {0.7};
  EXPECT_DOUBLE_EQ(aggregate(damages, {}).standard_error, 0.7);
}

TEST(Aggregate, TakesMaximumAndQuantile) {
  const std::vector<double> damages = {3, 1, 2, 5, 4};
  AnalyzeOptions options;
  options.aggregation = "max";
  EXPECT_DOUBLE_EQ(aggregate(damages, options).mean, 5);
  options.aggregation = "quantile";
  options.quantile = 0.5;
  EXPECT_DOUBLE_EQ(aggregate(damages, options).mean, 3);
}

TEST(Aggregate, BootstrapErrorOfTheMedianAgreesWithItsSamplingDistribution) {
  AnalyzeOptions options;
  options.aggregation = "quantile";
  options.quantile = 0.5;
  double bootstrap = 0;
  std::vector<double> medians;
  constexpr int kDraws = 200;
  for (std::uint64_t draw = 0; draw < kDraws; ++draw) {
    const MeanError score = aggregate(uniforms(61, 100 + draw), options);
    medians.push_back(score.mean);
    bootstrap += score.standard_error / kDraws;
  }
  const double truth = mean_and_error(medians).standard_error * std::sqrt(double{kDraws});
  EXPECT_NEAR(bootstrap / truth, 1, 0.2);
}

TEST(Aggregate, BootstrapIsReproducible) {
  AnalyzeOptions options;
  options.aggregation = "max";
  const auto damages = uniforms(20, 4);
  EXPECT_EQ(aggregate(damages, options).standard_error, aggregate(damages, options).standard_error);
  AnalyzeOptions other = options;
  other.seed = 2;
  EXPECT_NE(aggregate(damages, options).standard_error, aggregate(damages, other).standard_error);
}

}  // namespace
}  // namespace mpq::perturb
