#include <optional>
#include <random>

#include <gmock/gmock.h>

#include "mpq/allocate.h"
#include "mpq/error.h"

#include "scores.h"

namespace mpq {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kMillisecond = 1'000'000;

/// Times as kernels give them: a gain of the layer's own at up to 4 bits, another at 8, none above.
Sensitivity timed_record(std::mt19937_64& random, std::size_t layers) {
  Sensitivity scores = random_record(random, layers);
  scores.time = {"cpu:0", 0, 0.05};
  for (LayerSensitivity& layer : scores.layers) {
    const auto gain = [&] {
      return std::uniform_int_distribution<std::int64_t>(-kMillisecond, kMillisecond / 4)(random);
    };
    const std::int64_t int4 = gain(), int8 = gain();
    scores.time.float_nanoseconds += kMillisecond;
    for (CandidateScore& score : layer.candidates)
      score.nanoseconds = score.candidate.bits <= 4 ? int4 : score.candidate.bits == 8 ? int8 : 0;
  }
  return scores;
}

Budget milliseconds(double value) { return {Budget::Unit::kSeconds, 1e-3 * value, std::to_string(value) + "ms"}; }

AllocateOptions within(const Budget& time) {
  AllocateOptions options;
  options.time_budget = time;
  return options;
}

struct Best {
  double damage = 0;
  std::int64_t bytes = 0, nanoseconds = 0;
};

std::optional<Best> brute_force(const Sensitivity& scores, std::int64_t bytes, double seconds) {
  std::optional<Best> best;
  every_selection(scores, [&](const std::vector<std::size_t>& selection) {
    Best sum{0, 0, scores.time.float_nanoseconds};
    for (std::size_t i = 0; i < selection.size(); ++i) {
      const CandidateScore& score = scores.layers[i].candidates[selection[i]];
      sum.damage += score.damage;
      sum.bytes += score.stored_bytes;
      sum.nanoseconds += score.nanoseconds;
    }
    const bool fits = sum.bytes <= bytes && static_cast<double>(sum.nanoseconds) <= 1e9 * seconds * (1 + 1e-12);
    if (fits && (!best || sum.damage < best->damage)) best = sum;
  });
  return best;
}

TEST(PlanTimes, BothBudgetsAtOnceEqualBruteForce) {
  std::mt19937_64 random(11);
  int feasible = 0, refused = 0;
  for (int i = 0; i < 300; ++i) {
    const Sensitivity scores = timed_record(random, 4);
    const double bits = std::uniform_real_distribution<double>(2, 12)(random);
    const Budget size{Budget::Unit::kBitsPerWeight, bits, "so many bits"};
    const Budget time = milliseconds(std::uniform_real_distribution<double>(0.5, 4.5)(random));
    const auto expected = brute_force(scores, resolve(size, scores).limit_bytes, time.value);
    try {
      const Plan plan = allocate(scores, size, within(time));
      ASSERT_TRUE(expected) << i;
      ++feasible;
      EXPECT_NEAR(plan.predicted_damage, expected->damage, 1e-9) << i;
      EXPECT_LE(plan.lower_bound, expected->damage + 1e-9);
      EXPECT_LE(plan.stored_bytes, plan.limit_bytes);
      ASSERT_TRUE(plan.time);
      EXPECT_LE(plan.time->predicted_seconds, time.value * (1 + 1e-9));
      double sum = plan.time->float_seconds;
      for (const PlanEntry& entry : plan.entries) sum += entry.seconds;
      EXPECT_NEAR(sum, plan.time->predicted_seconds, 1e-12);
      EXPECT_LE(plan.time->fastest_seconds, plan.time->predicted_seconds + 1e-12);
    } catch (const Error& error) {
      ASSERT_FALSE(expected) << i << ": " << error.what();
      EXPECT_EQ(error.code(), ErrorCode::kInfeasible);
      ++refused;
    }
  }
  EXPECT_GT(feasible, 100);
  EXPECT_GT(refused, 30);
}

TEST(PlanTimes, OfAFileMeetsBothAndIsNeverBetterThanItsBound) {
  std::mt19937_64 random(12);
  int planned = 0;
  for (int i = 0; i < 100; ++i) {
    const Sensitivity scores = timed_record(random, 6);
    const Budget size{Budget::Unit::kPercent, 60, "60%"};
    try {
      const Plan plan = allocate(scores, size, within(milliseconds(4)));
      ++planned;
      EXPECT_LE(plan.file_bytes, plan.limit_bytes);
      EXPECT_LE(plan.time->predicted_seconds, 4e-3 + 1e-9);
      EXPECT_LE(plan.lower_bound, plan.predicted_damage);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInfeasible);
    }
  }
  EXPECT_GT(planned, 50);
}

TEST(PlanTimes, SaysWhatIsFeasible) {
  Sensitivity scores = example_record({example_scores("a", 800, 1)});
  scores.time = {"cpu:0-1", 5 * kMillisecond, 0.02};
  for (CandidateScore& score : scores.layers[0].candidates)
    score.nanoseconds = score.candidate.bits <= 8 ? -1'234'567 : 0;
  const Budget size = Budget::parse("8bit");
  EXPECT_EQ(allocate(scores, size, within(Budget::parse("4ms"))).entries[0].candidate.bits, 8);
  try {
    allocate(scores, size, within(Budget::parse("3ms")));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInfeasible);
    EXPECT_EQ(std::string(error.what()),
              "No plan within 8bit takes at most 3ms on cpu:0-1 by the profile; feasible: 3.77ms to 5ms.");
    EXPECT_NO_THROW(allocate(scores, size, within(Budget::parse("3.77ms"))));
  }
}

TEST(PlanTimes, AFloatModelThatFitsButIsTooSlowIsQuantized) {
  Sensitivity scores = example_record({example_scores("a", 800, 1)});
  scores.time = {"cpu:0", 5 * kMillisecond, 0};
  for (CandidateScore& score : scores.layers[0].candidates)
    score.nanoseconds = score.candidate.bits <= 8 ? -2 * kMillisecond : 0;
  EXPECT_EQ(allocate(scores, Budget::parse("100%"), within(Budget::parse("5ms"))).entries[0].candidate.form, "float");
  EXPECT_EQ(allocate(scores, Budget::parse("100%"), within(Budget::parse("4ms"))).entries[0].candidate.bits, 8);
}

TEST(PlanTimes, OneWidthEverywhereMeetsTheTimeToo) {
  Sensitivity scores = example_record({example_scores("a", 800, 1)});
  scores.time = {"cpu:0", 5 * kMillisecond, 0};
  for (CandidateScore& score : scores.layers[0].candidates)
    score.nanoseconds = score.candidate.bits == 4 ? -2 * kMillisecond : 0;
  AllocateOptions options = within(Budget::parse("4ms"));
  options.uniform = true;
  EXPECT_EQ(allocate(scores, Budget::parse("8bit"), options).entries[0].candidate.bits, 4);
  options.time_budget = Budget::parse("1ms");
  EXPECT_THROW(allocate(scores, Budget::parse("8bit"), options), Error);
}

TEST(PlanTimes, ATimeBudgetWithoutTimesIsRefused) {
  const Sensitivity scores = example_record({example_scores("a", 800, 1)});
  try {
    allocate(scores, Budget::parse("8bit"), within(Budget::parse("3ms")));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    EXPECT_THAT(error.hint(), HasSubstr("profile"));
  }
  EXPECT_FALSE(allocate(scores, Budget::parse("8bit")).time);
}

TEST(TradeOffs, EveryCellIsThePlanOfItsTwoBudgets) {
  std::mt19937_64 random(13);
  const Sensitivity scores = timed_record(random, 8);
  const TradeOffs trade = trade_offs(scores, 6, 5);
  ASSERT_EQ(trade.damage.size(), trade.sizes.size());
  EXPECT_EQ(trade.processor, "cpu:0");
  int cells = 0;
  for (std::size_t i = 0; i < trade.sizes.size(); ++i) {
    ASSERT_EQ(trade.damage[i].size(), trade.seconds.size());
    for (std::size_t t = 0; t < trade.seconds.size(); ++t) {
      const auto& damage = trade.damage[i][t];
      if (t > 0 && trade.damage[i][t - 1]) {
        ASSERT_TRUE(damage) << "more time allows no less";
        EXPECT_LE(*damage, *trade.damage[i][t - 1] + 1e-12);
      }
      if (!damage) continue;
      ++cells;
      const Budget time{Budget::Unit::kSeconds, trade.seconds[t], "time"};
      EXPECT_DOUBLE_EQ(allocate(scores, trade.sizes[i], within(time)).predicted_damage, *damage);
    }
  }
  EXPECT_GT(cells, 10);
}

}  // namespace
}  // namespace mpq
