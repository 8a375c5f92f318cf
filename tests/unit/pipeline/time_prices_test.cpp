#include <numeric>

#include <gmock/gmock.h>

#include "mpq/allocate.h"
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

TEST(TimePrices, NoiseMakesNoNetworkFree) {
  Profile profile = two_segments();
  // By halves of the saving the second segment would be free in floats, the first one as int8.
  profile.columns[0] = column(0, "float32", 8 * kMs, 2 * kMs, 5 * kMs, 11 * kMs);
  profile.columns[1] = column(0, "int8", 2 * kMs, 8 * kMs, 5 * kMs, 9 * kMs);
  const Sensitivity scores = price_times(three_layers(), profile, 0);
  std::int64_t fastest = scores.time.base_nanoseconds;
  for (std::size_t layer = 0; layer < 3; ++layer) {
    fastest += std::min<std::int64_t>(0, nanoseconds(scores, layer, 8));
  }
  EXPECT_GT(fastest, 0);
  const TradeOffs trade = trade_offs(scores, 3, 3);
  EXPECT_GT(trade.seconds.front(), 0);
}

TEST(TimePrices, FloatArithmeticGainsNothing) {
  AllocateOptions options;
  options.compute = "float";
  const Sensitivity scores = price_times(three_layers(), two_segments(), 0, options);
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

TEST(TimePrices, IntegerActivationsRunOnTheInt8KernelAtEveryWidth) {
  Profile profile = two_segments();
  profile.integer_activations = {"a"};
  AllocateOptions options;
  const Sensitivity scores = price_times(three_layers(), profile, 0, options);
  for (const int bits : {2, 4, 8}) EXPECT_EQ(nanoseconds(scores, 0, bits), -1'500'000) << bits;
  EXPECT_EQ(nanoseconds(scores, 0, 16), 0);
  EXPECT_EQ(nanoseconds(scores, 1, 4), 0) << "another layer";
  options.activation_ranges = false;
  EXPECT_EQ(nanoseconds(price_times(three_layers(), profile, 0, options), 0, 4), 0);
}

TEST(TimePrices, WhatSegmentsWithoutLayersGainIsThatOfTheLayersBefore) {
  Profile profile = two_segments();
  profile.segments[0].layers = {"a", "b", "c"};
  profile.segments[1].layers = {};
  profile.segments[1].predecessors = {0};
  const Sensitivity scores = price_times(three_layers(), profile, 0);
  std::int64_t sum = scores.time.float_nanoseconds;
  for (std::size_t layer = 0; layer < 3; ++layer) sum += nanoseconds(scores, layer, 8);
  EXPECT_NEAR(static_cast<double>(sum), 6e6, 5);
}

/// One layer in three segments of 3 ms each, 1 ms on int8; neighbours on int8 save the 0.8 ms of converting twice.
Profile three_segments_on_integers() {
  Profile profile = two_segments();
  profile.processors.resize(1);
  profile.segments.resize(3);
  profile.columns.resize(2);
  for (std::size_t s = 0; s < 3; ++s) {
    profile.segments[s].layers = {std::string(1, static_cast<char>('a' + s))};
    if (s > 0) profile.segments[s].predecessors = {static_cast<int>(s) - 1};
    profile.integer_activations.push_back(profile.segments[s].layers[0]);
  }
  for (CostColumn& column : profile.columns) {
    const bool floats = column.precision == "float32";
    column.costs.assign(3, SegmentCost{});
    for (std::size_t s = 0; s < 3; ++s) {
      column.costs[s].alone = {floats ? 3 * kMs : 1 * kMs, 0, 5};
      if (s < 2) column.costs[s].with_next = {floats ? 6 * kMs : 1.2 * kMs, 0, 5};
    }
    column.whole = Timing{floats ? 9 * kMs : 1.4 * kMs, 0, 5};
  }
  return profile;
}

/// By prices that only add up, the middle layer in floats would cost 1.4 - 0.2 + 3 = 4.2 ms; converting makes it 5.
TEST(BestTimes, KnowThatAFloatLayerAmongIntegersConverts) {
  Sensitivity scores = three_layers();
  for (CandidateScore& score : scores.layers[1].candidates) {
    if (score.candidate.form == "grid") score.damage = 100;
  }
  AllocateOptions options;
  options.time_budget = Budget::parse("4.5ms");
  const Profile profile = three_segments_on_integers();
  const Sensitivity tight = price_best_times(scores, profile, Budget::parse("100%"), options);
  EXPECT_NEAR(allocate(tight, Budget::parse("100%"), options).time->predicted_seconds, 4.2 * kMs, 1e-6)
      << "the middle one on integers, and one at an end in floats";
  options.time_budget = Budget::parse("5ms");
  const Sensitivity loose = price_best_times(scores, profile, Budget::parse("100%"), options);
  const Plan plan = allocate(loose, Budget::parse("100%"), options);
  EXPECT_NEAR(plan.time->predicted_seconds, 5 * kMs, 1e-6);
  EXPECT_LT(plan.predicted_damage, 1);
}

/// Two branches of 4 ms, on one processor one after the other, divided at the same time; each 1 ms on int8.
TEST(BestTimes, OfADividedNetworkAreThoseOfItsPlacement) {
  Profile profile = two_segments();
  profile.segments.resize(2);
  profile.segments[0].layers = {"a"};
  profile.segments[1].layers = {"b"};
  profile.processors[0].cores = {0};
  profile.processors[1].cores = {1};
  profile.columns.clear();
  for (const int p : {0, 1}) {
    profile.columns.push_back(column(p, "float32", 4 * kMs, 4 * kMs, 8 * kMs, 8 * kMs));
    profile.columns.push_back(column(p, "int8", 1 * kMs, 1 * kMs, 2 * kMs, 2 * kMs));
  }
  const Sensitivity scores = three_layers();
  AllocateOptions options;
  options.time_budget = Budget::parse("4.1ms");
  EXPECT_EQ(allocate(price_best_times(scores, profile, Budget::parse("100%"), options), Budget::parse("100%"), options)
                .time->processor,
            "cpu:0");
  options.divided = true;
  const Sensitivity divided = price_best_times(scores, profile, Budget::parse("100%"), options);
  EXPECT_EQ(divided.time.processor, "cpu:0 + cpu:1");
  const Plan floats = allocate(divided, Budget::parse("100%"), options);
  EXPECT_EQ(floats.predicted_damage, 0) << "in floats the two branches take 4 ms beside each other";
  EXPECT_NEAR(floats.time->predicted_seconds, 4 * kMs, 1e-6);
  options.time_budget = Budget::parse("2ms");
  const Plan fast =
      allocate(price_best_times(scores, profile, Budget::parse("100%"), options), Budget::parse("100%"), options);
  EXPECT_NEAR(fast.time->predicted_seconds, 1 * kMs, 1e-6) << "both branches have to be faster";
}

}  // namespace
}  // namespace mpq
