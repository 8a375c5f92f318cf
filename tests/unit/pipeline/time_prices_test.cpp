#include <numeric>

#include <gmock/gmock.h>

#include "mpq/error.h"
#include "mpq/latency.h"

#include "scores.h"

namespace mpq {
namespace {

constexpr double kMs = 1e-3;

/// Three layers in two segments on two processors; the second segment holds two layers, one three times the other.
Sensitivity three_layers() {
  Sensitivity scores =
      example_record({example_scores("a", 800, 1), example_scores("b", 400, 1), example_scores("c", 1200, 1)});
  scores.model.sha256 = "aa";
  for (LayerSensitivity& layer : scores.layers) {
    for (CandidateScore& score : layer.candidates) {
      if (score.candidate.bits <= 4) score.function = "Unpack" + std::to_string(score.candidate.bits) + "bitInt4";
      if (score.candidate.bits == 8) score.function = "Unpack8bitInt8";
    }
  }
  return scores;
}

CostColumn column(int processor, const std::string& precision, double first, double second, double together,
                  double whole) {
  CostColumn result;
  result.processor = processor;
  result.precision = precision;
  result.costs.resize(2);
  result.costs[0].alone = {first, 0, 5};
  result.costs[0].with_next = {together, 0, 5};
  result.costs[1].alone = {second, 0, 5};
  result.whole = Timing{whole, 0, 5};
  return result;
}

Profile two_segments() {
  Profile profile;
  profile.model.sha256 = "aa";
  for (const char* name : {"cpu:0", "cpu:1"}) {
    Processor& processor = profile.processors.emplace_back();
    processor.name = name;
    processor.noise = 0.03;
  }
  profile.segments.resize(2);
  profile.segments[0].layers = {"a"};
  profile.segments[1].layers = {"b", "c"};
  profile.columns = {column(0, "float32", 4 * kMs, 8 * kMs, 11 * kMs, 11 * kMs),
                     column(0, "int8", 2 * kMs, 4 * kMs, 6 * kMs, 6 * kMs),
                     column(1, "float32", 2 * kMs, 4 * kMs, 6 * kMs, 6 * kMs)};
  return profile;
}

std::int64_t nanoseconds(const Sensitivity& scores, std::size_t layer, int bits) {
  for (const CandidateScore& score : scores.layers[layer].candidates) {
    if (score.candidate.bits == bits) return score.nanoseconds;
  }
  return -1;
}

TEST(TimePrices, AreTheSegmentsGainsDividedByWeights) {
  const Sensitivity scores = price_times(three_layers(), two_segments(), 0);
  EXPECT_EQ(scores.time.processor, "cpu:0");
  EXPECT_EQ(scores.time.float_nanoseconds, 11'000'000);
  EXPECT_EQ(scores.time.noise, 0.03);
  // In floats the segments save 1 ms together: 3.5 and 7.5 ms; as int8 nothing: 2 and 4 ms.
  EXPECT_EQ(nanoseconds(scores, 0, 8), -1'500'000);
  EXPECT_EQ(nanoseconds(scores, 1, 8), -875'000);
  EXPECT_EQ(nanoseconds(scores, 2, 8), -2'625'000);
  for (std::size_t layer = 0; layer < 3; ++layer) {
    EXPECT_EQ(nanoseconds(scores, layer, 4), 0) << "the profile has no int4";
    EXPECT_EQ(nanoseconds(scores, layer, 16), 0);
    EXPECT_EQ(nanoseconds(scores, layer, 32), 0);
  }
}

TEST(TimePrices, OneKernelEverywhereAddsUpToTheMeasuredWhole) {
  Profile profile = two_segments();
  profile.columns[1].whole->seconds = 5 * kMs;  // less than its segments say
  const Sensitivity scores = price_times(three_layers(), profile, 0);
  std::int64_t sum = scores.time.float_nanoseconds;
  for (std::size_t layer = 0; layer < 3; ++layer) sum += nanoseconds(scores, layer, 8);
  EXPECT_NEAR(static_cast<double>(sum), 5e6, 5);
}

TEST(TimePrices, FloatArithmeticGainsNothing) {
  const Sensitivity scores = price_times(three_layers(), two_segments(), 0, "float");
  for (std::size_t layer = 0; layer < 3; ++layer) EXPECT_EQ(nanoseconds(scores, layer, 8), 0);
}

TEST(TimePrices, AreRefusedForAnotherModelAndForAProcessorThatRunsItNot) {
  Profile profile = two_segments();
  profile.columns[2].costs[1].unsupported = "no kernel";
  EXPECT_THROW(price_times(three_layers(), profile, 1), Error);
  profile.model.sha256 = "bb";
  EXPECT_THROW(price_times(three_layers(), profile, 0), Error);
}

/// cpu:0 has an int8 kernel, cpu:1 is faster in floats: which one is planned for depends on the budget.
TEST(BestTimes, AreOfTheProcessorWithTheLeastDamageThatMeetsTheBudget) {
  const Sensitivity scores = three_layers();
  AllocateOptions options;
  options.time_budget = Budget::parse("6ms");
  EXPECT_EQ(price_best_times(scores, two_segments(), Budget::parse("100%"), options).time.processor, "cpu:1")
      << "floats do no damage and take 6 ms there";
  Profile profile = two_segments();
  profile.columns[2] = column(1, "float32", 4 * kMs, 5 * kMs, 9 * kMs, 9 * kMs);
  EXPECT_EQ(price_best_times(scores, profile, Budget::parse("100%"), options).time.processor, "cpu:0");
  options.time_budget = Budget::parse("5ms");
  try {
    price_best_times(scores, profile, Budget::parse("100%"), options);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInfeasible);
    EXPECT_THAT(error.what(), testing::HasSubstr("on cpu:0 by the profile; feasible: 6ms to 11ms"));
  }
}

}  // namespace
}  // namespace mpq
