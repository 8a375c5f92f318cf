#include <limits>
#include <map>
#include <random>

#include <gmock/gmock.h>

#include "mpq/allocate.h"

#include "allocate/knapsack.h"
#include "scores.h"

namespace mpq {
namespace {

/// Every non-dominated (stored bytes, damage), by trying every selection.
std::map<std::int64_t, double> brute_force_frontier(const Sensitivity& scores) {
  std::map<std::int64_t, double> best;
  every_selection(scores, [&](const std::vector<std::size_t>& selection) {
    std::int64_t bytes = 0;
    double damage = 0;
    for (std::size_t i = 0; i < selection.size(); ++i) {
      bytes += scores.layers[i].candidates[selection[i]].stored_bytes;
      damage += scores.layers[i].candidates[selection[i]].damage;
    }
    const auto [place, fresh] = best.emplace(bytes, damage);
    if (!fresh) place->second = std::min(place->second, damage);
  });
  double least = std::numeric_limits<double>::infinity();
  for (auto point = best.begin(); point != best.end();) {
    const bool dominated = point->second >= least - 1e-15;
    least = std::min(least, point->second);
    point = dominated ? best.erase(point) : std::next(point);
  }
  return best;
}

TEST(Frontier, HoldsEveryNonDominatedPoint) {
  std::mt19937_64 random(8);
  for (int instance = 0; instance < 30; ++instance) {
    const Sensitivity scores = random_record(random, 1 + instance % 5);
    const auto expected = brute_force_frontier(scores);
    const auto points = frontier(scores);
    ASSERT_EQ(points.size(), expected.size());
    auto next = expected.begin();
    for (const FrontierPoint& point : points) {
      EXPECT_EQ(point.stored_bytes, next->first);
      EXPECT_NEAR(point.damage, next->second, 1e-12);
      ++next;
    }
  }
}

TEST(Frontier, EveryBudgetReadsItsPointOff) {
  std::mt19937_64 random(9);
  const Sensitivity scores = random_record(random, 8);
  for (const FrontierPoint& point : frontier(scores)) {
    const Plan plan = allocate(scores, {Budget::Unit::kBitsPerWeight, point.bits_per_weight, "bits"});
    EXPECT_EQ(plan.stored_bytes, point.stored_bytes);
    EXPECT_NEAR(plan.predicted_damage, point.damage, 1e-12);
    EXPECT_LE(plan.file_bytes, point.file_bytes);
  }
}

TEST(Frontier, ThinnedPointsAreOptimaAndFallStrictly) {
  std::mt19937_64 random(10);
  const Sensitivity scores = random_record(random, 60);
  const auto points = frontier(scores);
  ASSERT_GT(points.size(), 64U);
  for (std::size_t i = 1; i < points.size(); ++i) {
    EXPECT_LT(points[i - 1].stored_bytes, points[i].stored_bytes);
    EXPECT_GT(points[i - 1].damage, points[i].damage);
  }
  for (std::size_t i = 0; i < points.size(); i += 17) {
    const Plan plan = allocate(scores, {Budget::Unit::kBitsPerWeight, points[i].bits_per_weight, "bits"});
    EXPECT_NEAR(plan.predicted_damage, points[i].damage, 1e-12);
  }
}

TEST(Frontier, UniformFrontiersHaveAPointPerUsefulWidth) {
  AllocateOptions options;
  options.uniform = true;
  EXPECT_EQ(frontier(example_record({example_scores("a", 80, 1)}), options).size(), 5U);
}

}  // namespace
}  // namespace mpq
