#include "joint_plan.h"

#include <cmath>
#include <limits>
#include <random>

#include <gmock/gmock.h>

#include "scores.h"

namespace mpq {
namespace {

double summed(const Sensitivity& scores, const Plan& plan, const std::function<double(std::size_t, double)>& term) {
  double sum = 0;
  for (std::size_t i = 0; i < plan.entries.size(); ++i) {
    for (const CandidateScore& score : scores.layers[i].candidates) {
      if (score.candidate == plan.entries[i].candidate) sum += term(i, score.damage);
    }
  }
  return sum;
}

/// Layers that do not interact: the whole is the sum.
PlanMeasure additive(const Sensitivity& scores) {
  return [&scores](const Plan& plan) { return summed(scores, plan, [](std::size_t, double d) { return d; }); };
}

/// Rounding errors that all point the same way, and every second layer's is amplified by the others: the whole is the
/// square of weighted sums of roots.
PlanMeasure aligned(const Sensitivity& scores) {
  return [&scores](const Plan& plan) {
    return std::pow(summed(scores, plan, [](std::size_t i, double d) { return (i % 2 == 0 ? 1 : 4) * std::sqrt(d); }),
                    2);
  };
}

double least_together(const Sensitivity& scores, std::int64_t limit, const PlanMeasure& measure) {
  double best = std::numeric_limits<double>::infinity();
  Plan plan;
  plan.entries.resize(scores.layers.size());
  every_selection(scores, [&](const std::vector<std::size_t>& selection) {
    std::int64_t bytes = 0;
    for (std::size_t i = 0; i < selection.size(); ++i) {
      const CandidateScore& score = scores.layers[i].candidates[selection[i]];
      bytes += score.stored_bytes;
      plan.entries[i].candidate = score.candidate;
    }
    if (bytes <= limit) best = std::min(best, measure(plan));
  });
  return best;
}

TEST(JointPlan, KeepsTheAllocatorsPlanWhereDamagesAddUp) {
  std::mt19937_64 random(11);
  const Sensitivity scores = falling_scores(random, 8);
  const Budget budget = Budget::parse("5bit");
  int measured = 0;
  const PlanMeasure measure = [&](const Plan& plan) {
    ++measured;
    return additive(scores)(plan);
  };
  EXPECT_EQ(to_json(best_plan_together(scores, budget, {}, measure, silent_observer())),
            to_json(allocate(scores, budget)));
  EXPECT_LE(measured, 4);  // the contenders, no repair
}

TEST(JointPlan, RepairsPlansThatCostMoreTogether) {
  std::mt19937_64 random(12);
  int improved = 0;
  double ratio = 0;
  constexpr int kInstances = 40;
  for (int instance = 0; instance < kInstances; ++instance) {
    const Sensitivity scores = falling_scores(random, 6);
    const PlanMeasure measure = aligned(scores);
    const Budget budget{Budget::Unit::kBitsPerWeight, std::uniform_real_distribution<double>(2.5, 9)(random), "bits"};
    const Plan first = allocate(scores, budget);
    const Plan plan = best_plan_together(scores, budget, {}, measure, silent_observer());
    ASSERT_LE(plan.stored_bytes, plan.limit_bytes);
    ASSERT_LE(measure(plan), measure(first) + 1e-12);
    improved += measure(plan) < measure(first) - 1e-12 ? 1 : 0;
    ratio += measure(plan) / least_together(scores, plan.limit_bytes, measure) / kInstances;
  }
  EXPECT_GT(improved, 5);
  EXPECT_LT(ratio, 1.1);  // on average within a tenth of the best of all plans
}

TEST(JointPlan, ReportsTheOriginalPricesAfterARepair) {
  std::mt19937_64 random(13);
  for (int instance = 0; instance < 20; ++instance) {
    const Sensitivity scores = falling_scores(random, 6);
    const Plan plan = best_plan_together(scores, Budget::parse("4bit"), {}, aligned(scores), silent_observer());
    EXPECT_NEAR(plan.predicted_damage, additive(scores)(plan), 1e-12);
    EXPECT_LE(plan.lower_bound, plan.predicted_damage);
  }
}

TEST(JointPlan, LeavesOverriddenLayersAlone) {
  std::mt19937_64 random(14);
  const Sensitivity scores = falling_scores(random, 6);
  AllocateOptions options;
  options.overrides = {{"layer2", {2, "grid", 0}, "--layer 'layer2=2bit'"}, {"layer4", Candidate{}, "--keep 'layer4'"}};
  options.min_bits = 4;
  const Plan plan = best_plan_together(scores, Budget::parse("9bit"), options, aligned(scores), silent_observer());
  EXPECT_EQ(to_string(plan.entries[2].candidate), "2bit");
  EXPECT_EQ(plan.entries[2].reason, "override --layer 'layer2=2bit'");
  EXPECT_EQ(plan.entries[4].candidate.form, "float");
  for (const std::size_t i : {0U, 1U, 3U, 5U}) EXPECT_GE(plan.entries[i].candidate.bits, 4);
}

TEST(JointPlan, UniformPlansStayUniform) {
  std::mt19937_64 random(15);
  const Sensitivity scores = falling_scores(random, 6);
  AllocateOptions options;
  options.uniform = true;
  const Plan plan = best_plan_together(scores, Budget::parse("5bit"), options, aligned(scores), silent_observer());
  for (const PlanEntry& entry : plan.entries) EXPECT_EQ(to_string(entry.candidate), "4bit");
}

}  // namespace
}  // namespace mpq
