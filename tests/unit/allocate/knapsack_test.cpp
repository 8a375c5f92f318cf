#include "allocate/knapsack.h"

#include <chrono>
#include <cmath>
#include <limits>
#include <random>

#include <gmock/gmock.h>

namespace mpq::knapsack {
namespace {

std::vector<Class> random_classes(std::mt19937_64& random, std::size_t classes, std::size_t items, std::int64_t most) {
  std::vector<Class> result(classes);
  for (Class& list : result) {
    for (std::size_t i = 0; i < items; ++i) {
      list.push_back({std::uniform_int_distribution<std::int64_t>(0, most)(random),
                      std::uniform_real_distribution<double>(0, 1)(random), static_cast<std::int64_t>(i), i});
    }
  }
  return result;
}

/// Least damage within the limit, by trying every choice.
double brute_force(const std::vector<Class>& classes, std::int64_t limit, std::size_t from = 0) {
  if (limit < 0) return std::numeric_limits<double>::infinity();
  if (from == classes.size()) return 0;
  double best = std::numeric_limits<double>::infinity();
  for (const Item& item : classes[from]) {
    best = std::min(best, item.damage + brute_force(classes, limit - item.cost, from + 1));
  }
  return best;
}

TEST(Knapsack, AgreesWithBruteForceAtEveryLimit) {
  std::mt19937_64 random(5);
  for (int instance = 0; instance < 60; ++instance) {
    const std::vector<Class> classes = random_classes(random, 1 + instance % 5, 4, 12);
    const Solver solver(classes);
    for (std::int64_t limit = 0; limit <= 60; limit += 3) {
      const auto solution = solver.solve(limit);
      const double best = brute_force(classes, limit);
      ASSERT_EQ(solution.has_value(), std::isfinite(best));
      if (!solution) continue;
      ASSERT_NEAR(solution->damage, best, 1e-12);
      ASSERT_LE(*solver.relaxation(limit), best + 1e-12);
    }
  }
}

TEST(Knapsack, ItsSumsAreThoseOfItsChoice) {
  std::mt19937_64 random(6);
  const std::vector<Class> classes = random_classes(random, 30, 6, 500);
  const auto solution = Solver(classes).solve(6000);
  ASSERT_TRUE(solution.has_value());
  std::int64_t cost = 0, companion = 0;
  double damage = 0;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const Item& item = classes[c][solution->choice[c]];
    cost += item.cost;
    companion += item.companion;
    damage += item.damage;
  }
  EXPECT_EQ(solution->cost, cost);
  EXPECT_EQ(solution->companion, companion);
  EXPECT_NEAR(solution->damage, damage, 1e-12);
}

TEST(Knapsack, OfEqualDamageTheCheaperChoiceIsTaken) {
  const std::vector<Class> classes{{{5, 1, 0, 0}, {9, 1, 0, 1}}, {{4, 2, 0, 0}, {3, 2, 0, 1}}};
  EXPECT_THAT(Solver(classes).solve(100)->choice, testing::ElementsAre(0, 1));
}

TEST(Knapsack, NothingFitsBelowTheLeastCost) {
  const Solver solver({{{5, 1, 0, 0}}, {{7, 2, 0, 0}, {6, 3, 0, 1}}});
  EXPECT_EQ(solver.least_cost(), 11);
  EXPECT_FALSE(solver.solve(10).has_value());
  EXPECT_FALSE(solver.relaxation(10).has_value());
  EXPECT_TRUE(solver.solve(11).has_value());
}

TEST(Knapsack, WithoutClassesNothingIsChosen) {
  const auto solution = Solver({}).solve(0);
  ASSERT_TRUE(solution.has_value());
  EXPECT_TRUE(solution->choice.empty());
}

TEST(Knapsack, DominatedItemsAreLeftOut) {
  const Class items = non_dominated({{5, 1, 0, 0}, {3, 2, 0, 1}, {4, 2.5, 0, 2}, {3, 4, 0, 3}, {9, 1, 0, 4}});
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].origin, 1U);
  EXPECT_EQ(items[1].origin, 0U);
}

TEST(Knapsack, AnExhaustedSearchSaysThatItProvedNothing) {
  std::mt19937_64 random(7);
  std::vector<Class> classes = random_classes(random, 60, 6, 100000);
  const auto solution = Solver(classes).solve(2'500'000, 1);
  ASSERT_TRUE(solution.has_value());
  EXPECT_FALSE(solution->proven);
  EXPECT_LE(solution->cost, 2'500'000);
}

}  // namespace
}  // namespace mpq::knapsack
