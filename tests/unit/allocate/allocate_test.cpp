#include "mpq/allocate.h"

#include <cmath>
#include <limits>
#include <set>

#include <gmock/gmock.h>

#include "mpq/error.h"

#include "scores.h"

namespace mpq {
namespace {

struct Totals {
  std::int64_t stored = 0;
  std::int64_t file = 0;
  double damage = 0;
};

/// What a file holds, from the definitions of SizeFacts alone.
Totals totals(const Sensitivity& scores, const std::vector<std::size_t>& selection) {
  Totals result{0, scores.size.base_bytes, 0};
  std::set<std::string> functions;
  bool quantized = false;
  for (std::size_t i = 0; i < selection.size(); ++i) {
    const CandidateScore& score = scores.layers[i].candidates[selection[i]];
    result.stored += score.stored_bytes;
    result.file += score.file_bytes;
    result.damage += score.damage;
    functions.insert(score.function);
    quantized = quantized || score.candidate.form != "float";
  }
  if (!quantized) return result;
  result.file += scores.size.fixed_bytes;
  for (const FunctionSize& function : scores.size.functions) {
    if (functions.count(function.name) != 0) result.file += function.bytes;
  }
  return result;
}

double least_damage(const Sensitivity& scores, const BudgetLimit& limit) {
  double best = std::numeric_limits<double>::infinity();
  every_selection(scores, [&](const std::vector<std::size_t>& selection) {
    const Totals sum = totals(scores, selection);
    if ((limit.counts_file ? sum.file : sum.stored) <= limit.limit_bytes) best = std::min(best, sum.damage);
  });
  return best;
}

std::optional<Plan> plan_if_feasible(const Sensitivity& scores, const Budget& budget) {
  try {
    return allocate(scores, budget);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInfeasible) << error.what();
    return std::nullopt;
  }
}

std::string message_of(const Sensitivity& scores, const std::string& budget, const AllocateOptions& options,
                       ErrorCode code) {
  try {
    allocate(scores, Budget::parse(budget), options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    return std::string(error.what()) + " " + error.hint();
  }
  return "no error";
}

const Sensitivity kTwoLayers = example_record({example_scores("encoder/a", 800, 10), example_scores("head/b", 400, 1)});

TEST(Allocate, FindsTheLeastDamageForStoredBitsByBruteForce) {
  std::mt19937_64 random(3);
  for (int instance = 0; instance < 200; ++instance) {
    const Sensitivity scores = random_record(random, 1 + instance % 5);
    const double bits = std::uniform_real_distribution<double>(1.5, 20)(random);
    const Budget budget{Budget::Unit::kBitsPerWeight, bits, "budget"};
    const std::optional<Plan> plan = plan_if_feasible(scores, budget);
    const double best = least_damage(scores, resolve(budget, scores));
    ASSERT_EQ(plan.has_value(), std::isfinite(best));
    if (!plan) continue;
    EXPECT_NEAR(plan->predicted_damage, best, 1e-12);
    EXPECT_LE(plan->lower_bound, best + 1e-12);
    EXPECT_LE(plan->stored_bytes, plan->limit_bytes);
  }
}

// Functions, some as large as layers, are paid once by whichever layer needs them first, which no knapsack of separate
// layers can say; so a budget of file bytes is met always, and its plan is the best one in all but a few cases.
TEST(Allocate, MeetsFileBudgetsAndIsNearlyAlwaysTheBestByBruteForce) {
  std::mt19937_64 random(4);
  int feasible = 0, best_found = 0;
  for (int instance = 0; instance < 200; ++instance) {
    Sensitivity scores = random_record(random, 1 + instance % 5);
    for (FunctionSize& function : scores.size.functions) function.bytes *= 1 + 4 * (instance % 3);
    const double share = std::uniform_real_distribution<double>(20, 90)(random);
    const Budget budget{Budget::Unit::kPercent, share, "budget"};
    const std::optional<Plan> plan = plan_if_feasible(scores, budget);
    const double best = least_damage(scores, resolve(budget, scores));
    ASSERT_EQ(plan.has_value(), std::isfinite(best));
    if (!plan) continue;
    ++feasible;
    EXPECT_LE(plan->file_bytes, plan->limit_bytes);
    best_found += plan->predicted_damage <= best + 1e-12 ? 1 : 0;
  }
  EXPECT_GT(feasible, 100);
  EXPECT_GE(best_found, feasible * 97 / 100) << feasible;
}

TEST(Allocate, ReportsTheSumsOfWhatItChose) {
  const Plan plan = allocate(kTwoLayers, Budget::parse("6bit"));
  std::int64_t stored = 0;
  double damage = 0;
  for (const PlanEntry& entry : plan.entries) {
    stored += entry.stored_bytes;
    damage += entry.damage;
  }
  EXPECT_EQ(plan.stored_bytes, stored);
  EXPECT_EQ(plan.parameters, 1200);
  EXPECT_DOUBLE_EQ(plan.predicted_damage, damage);
  EXPECT_DOUBLE_EQ(plan.bits_per_weight, 8.0 * static_cast<double>(stored) / 1200);
  EXPECT_DOUBLE_EQ(plan.optimality_gap, (damage - plan.lower_bound) / damage);
  EXPECT_EQ(plan.limit_bytes, 900);
}

TEST(Allocate, GivesTheSensitiveLayerTheBits) {
  const Plan plan = allocate(kTwoLayers, Budget::parse("7bit"));
  EXPECT_EQ(to_string(plan.entries[0].candidate), "8bit");
  EXPECT_EQ(to_string(plan.entries[1].candidate), "4bit");
}

TEST(Allocate, LeavesTheModelAloneWhenTheBudgetHoldsIt) {
  const Plan plan = allocate(kTwoLayers, Budget::parse("1x"));
  EXPECT_EQ(plan.file_bytes, kTwoLayers.model.bytes);
  EXPECT_EQ(plan.predicted_damage, 0);
  for (const PlanEntry& entry : plan.entries) EXPECT_EQ(entry.candidate.form, "float");
}

TEST(Allocate, LaterOverridesWin) {
  AllocateOptions options;
  options.overrides = {{"*", {2, "grid", 0}, "--layer '*=2bit'"}, {"head/*", {32, "float", 0}, "--keep 'head/*'"}};
  const Plan plan = allocate(kTwoLayers, Budget::parse("14bit"), options);
  EXPECT_EQ(to_string(plan.entries[0].candidate), "2bit");
  EXPECT_EQ(plan.entries[0].reason, "override --layer '*=2bit'");
  EXPECT_EQ(to_string(plan.entries[1].candidate), "float");
  EXPECT_EQ(plan.entries[1].reason, "kept by --keep 'head/*'");
}

TEST(Allocate, UniformTakesTheWidestWidthThatFits) {
  AllocateOptions options;
  options.uniform = true;
  const Plan plan = allocate(kTwoLayers, Budget::parse("7.9bit"), options);
  for (const PlanEntry& entry : plan.entries) EXPECT_EQ(to_string(entry.candidate), "4bit");
  EXPECT_TRUE(plan.uniform);
}

TEST(Allocate, InfeasibleBudgetsNameTheRangeInEveryUnit) {
  const std::string message = message_of(kTwoLayers, "1bit", {}, ErrorCode::kInfeasible);
  EXPECT_THAT(message, testing::HasSubstr("the smallest plan takes 300"));
  EXPECT_THAT(message, testing::HasSubstr("feasible: 2bit to 32bit, or 1.05kB to 5.38kB"));
  EXPECT_THAT(message, testing::HasSubstr("Raise the budget"));
}

TEST(Allocate, InfeasibleBecauseOfOverridesSaysSo) {
  AllocateOptions options;
  options.overrides = {{"encoder/*", {32, "float", 0}, "--keep 'encoder/*'"}};
  EXPECT_THAT(message_of(kTwoLayers, "4bit", options, ErrorCode::kInfeasible), testing::HasSubstr("--keep"));
}

TEST(Allocate, AFeasibleRangeCanBeTypedAsABudget) {
  EXPECT_EQ(allocate(kTwoLayers, Budget::parse("2bit")).stored_bytes, 300);
  EXPECT_LE(allocate(kTwoLayers, Budget::parse("1.05kB")).file_bytes, 1050);
}

TEST(Allocate, PatternsWithoutAMatchNameTheNearestLayers) {
  AllocateOptions options;
  options.overrides = {{"encoder/c", {4, "grid", 0}, ""}};
  EXPECT_THAT(message_of(kTwoLayers, "6bit", options, ErrorCode::kUsage),
              testing::AllOf(testing::HasSubstr("'encoder/c' matches no layer"), testing::HasSubstr("encoder/a")));
}

TEST(Allocate, CandidatesThatWereNotAnalyzedAreRefused) {
  AllocateOptions options;
  options.overrides = {{"head/b", {5, "grid", 0}, ""}};
  EXPECT_THAT(message_of(kTwoLayers, "6bit", options, ErrorCode::kUsage),
              testing::HasSubstr("offers 2bit, 4bit, 8bit, half, float"));
}

TEST(Allocate, ScoresThatAreNoNumbersAreRefused) {
  Sensitivity scores = kTwoLayers;
  scores.layers[1].candidates[0].damage = std::nan("");
  EXPECT_THAT(message_of(scores, "6bit", {}, ErrorCode::kInvalidInput), testing::HasSubstr("2bit"));
}

TEST(Allocate, SeveralBudgetsGiveThePlansOfEachAlone) {
  const std::vector<Budget> budgets{Budget::parse("3bit"), Budget::parse("6bit"), Budget::parse("50%")};
  const std::vector<Plan> plans = allocate(kTwoLayers, budgets, AllocateOptions{});
  ASSERT_EQ(plans.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(to_json(plans[i]), to_json(allocate(kTwoLayers, budgets[i])));
}

}  // namespace
}  // namespace mpq
