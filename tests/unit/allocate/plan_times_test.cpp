#include <optional>
#include <random>

#include <gmock/gmock.h>

#include "mpq/allocate.h"
#include "mpq/error.h"

#include "scores.h"

namespace mpq {
namespace {

using testing::HasSubstr;

Budget milliseconds(double value) { return {Budget::Unit::kSeconds, 1e-3 * value, std::to_string(value) + "ms"}; }

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
  scores.time = {"cpu:0-1", 5 * kMillisecond, 5 * kMillisecond, 0.02};
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
  scores.time = {"cpu:0", 5 * kMillisecond, 5 * kMillisecond, 0};
  for (CandidateScore& score : scores.layers[0].candidates)
    score.nanoseconds = score.candidate.bits <= 8 ? -2 * kMillisecond : 0;
  EXPECT_EQ(allocate(scores, Budget::parse("100%"), within(Budget::parse("5ms"))).entries[0].candidate.form, "float");
  EXPECT_EQ(allocate(scores, Budget::parse("100%"), within(Budget::parse("4ms"))).entries[0].candidate.bits, 8);
}

TEST(PlanTimes, OneWidthEverywhereMeetsTheTimeToo) {
  Sensitivity scores = example_record({example_scores("a", 800, 1)});
  scores.time = {"cpu:0", 5 * kMillisecond, 5 * kMillisecond, 0};
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

}  // namespace
}  // namespace mpq
