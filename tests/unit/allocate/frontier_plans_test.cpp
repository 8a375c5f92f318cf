#include <gmock/gmock.h>

#include "mpq/allocate.h"

namespace mpq {
namespace {

/// Six layers of different sizes, damage a quarter for every bit more.
Sensitivity six_layers() {
  Sensitivity scores;
  scores.model = {"net.onnx", "", 100'000};
  scores.size.base_bytes = 1000;
  for (int i = 0; i < 6; ++i) {
    LayerSensitivity& layer = scores.layers.emplace_back();
    layer.layer.name = "layer" + std::to_string(i);
    layer.layer.parameters = 800 * (i + 1);
    double damage = 0.1 * (6 - i);
    for (const int bits : {2, 3, 4, 5, 6, 7, 8, 16}) {
      damage /= 4;
      const std::int64_t bytes = layer.layer.parameters * bits / 8;
      layer.candidates.push_back({{bits, bits == 16 ? "half" : "grid", 0}, bytes, bytes + 50, "", damage, 0, 1});
    }
    const std::int64_t bytes = layer.layer.parameters * 4;
    layer.candidates.push_back({Candidate{}, bytes, bytes, "", 0, 0, 1});
  }
  return scores;
}

TEST(FrontierPlans, RiseInBytesAndFallInDamage) {
  const auto plans = frontier_plans(six_layers(), 40);
  ASSERT_GT(plans.size(), 20U);
  EXPECT_LE(plans.size(), 40U);
  for (std::size_t i = 1; i < plans.size(); ++i) {
    EXPECT_GT(plans[i].stored_bytes, plans[i - 1].stored_bytes);
    EXPECT_LT(plans[i].predicted_damage, plans[i - 1].predicted_damage);
  }
  EXPECT_NEAR(plans.front().bits_per_weight, 2, 0.01);
}

TEST(FrontierPlans, EachIsThePlanOfItsOwnBudget) {
  const Sensitivity scores = six_layers();
  for (const Plan& plan : frontier_plans(scores, 12)) {
    const Plan again = allocate(scores, Budget::parse(plan.budget));
    EXPECT_EQ(again.stored_bytes, plan.stored_bytes);
    EXPECT_EQ(again.predicted_damage, plan.predicted_damage);
  }
}

TEST(FrontierPlans, OverridesAndUniformHold) {
  AllocateOptions options;
  options.overrides = {{"layer0", {8, "grid", 0}, "--layer 'layer0=8bit'"}};
  for (const Plan& plan : frontier_plans(six_layers(), 10, options)) EXPECT_EQ(plan.entries[0].candidate.bits, 8);
  options.overrides.clear();
  options.uniform = true;
  for (const Plan& plan : frontier_plans(six_layers(), 10, options)) {
    for (const PlanEntry& entry : plan.entries) EXPECT_EQ(entry.candidate, plan.entries[0].candidate);
  }
}

}  // namespace
}  // namespace mpq
