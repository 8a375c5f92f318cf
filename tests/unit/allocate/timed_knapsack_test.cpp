#include "allocate/timed_knapsack.h"

#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <random>

#include <gtest/gtest.h>

namespace mpq::knapsack {
namespace {

struct Totals {
  std::int64_t cost = 0, time = 0;
  double damage = 0;
};

Totals totals(const std::vector<TimedClass>& classes, const std::vector<std::size_t>& choice) {
  Totals sum;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    for (const TimedItem& item : classes[c]) {
      if (item.origin != choice[c]) continue;
      sum.cost += item.cost;
      sum.time += item.time;
      sum.damage += item.damage;
    }
  }
  return sum;
}

/// Every choice, one after the other.
std::optional<double> brute_force(const std::vector<TimedClass>& classes, std::int64_t cost, std::int64_t time) {
  std::optional<double> best;
  const std::function<void(std::size_t, Totals)> go = [&](std::size_t c, Totals sum) {
    if (c == classes.size()) {
      if (sum.cost <= cost && sum.time <= time && (!best || sum.damage < *best)) best = sum.damage;
      return;
    }
    for (const TimedItem& item : classes[c])
      go(c + 1, {sum.cost + item.cost, sum.time + item.time, sum.damage + item.damage});
  };
  go(0, {});
  return best;
}

class Instances {
 public:
  explicit Instances(std::uint64_t seed) : random_(seed) {}
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  double real() { return std::uniform_real_distribution<double>(0, 1)(random_); }

  /// Costs, times (negative ones too: what a kernel saves) and damages that have nothing to do with each other.
  std::vector<TimedClass> unrelated(std::int64_t most_classes, std::int64_t most_items) {
    std::vector<TimedClass> classes(static_cast<std::size_t>(between(1, most_classes)));
    for (TimedClass& items : classes) {
      const std::int64_t count = between(1, most_items);
      for (std::int64_t i = 0; i < count; ++i)
        items.push_back({between(0, 60), between(-40, 20), real(), static_cast<std::size_t>(i)});
    }
    return classes;
  }

  /// What layers look like: damage falls with the width over decades, and a width runs on one of three kernels.
  std::vector<TimedClass> like_layers(std::size_t layers) {
    std::vector<TimedClass> classes(layers);
    for (TimedClass& items : classes) {
      const std::int64_t parameters = between(100, 4000);
      const double worth = std::lognormal_distribution<double>(0, 2)(random_);
      const std::int64_t int8 = -between(0, parameters), int4 = -between(0, parameters);
      for (int bits = 2; bits <= 8; ++bits)
        items.push_back({parameters * bits / 8, bits <= 4 ? int4 : int8, worth * std::exp2(-2 * bits), items.size()});
      items.push_back({parameters * 2, 0, worth * 1e-7, items.size()});
      items.push_back({parameters * 4, 0, 0, items.size()});
    }
    return classes;
  }

 private:
  std::mt19937_64 random_;
};

TEST(TimedKnapsack, EqualsBruteForce) {
  Instances instances(7);
  int feasible = 0, bound_by_time = 0;
  for (int i = 0; i < 4000; ++i) {
    const auto classes = instances.unrelated(5, 6);
    const std::int64_t cost = instances.between(0, 150), time = instances.between(-120, 30);
    const auto expected = brute_force(classes, cost, time);
    const auto found = TimedSolver(classes).solve(cost, time);
    ASSERT_EQ(found.has_value(), expected.has_value()) << i;
    if (!found) continue;
    ++feasible;
    const Totals sum = totals(classes, found->choice);
    ASSERT_TRUE(found->proven);
    ASSERT_LE(sum.cost, cost);
    ASSERT_LE(sum.time, time);
    ASSERT_EQ(sum.cost, found->cost);
    ASSERT_EQ(sum.time, found->time);
    ASSERT_NEAR(sum.damage, *expected, 1e-9) << i;
    ASSERT_NEAR(found->damage, *expected, 1e-9);
    ASSERT_LE(found->bound, *expected + 1e-9);
    constexpr std::int64_t kNoLimit = 1'000'000;
    bound_by_time += *brute_force(classes, cost, kNoLimit) < *expected ? 1 : 0;
  }
  EXPECT_GT(feasible, 1000);
  EXPECT_GT(bound_by_time, 500);
}

TEST(TimedKnapsack, LeastTimeEqualsBruteForce) {
  Instances instances(8);
  for (int i = 0; i < 1000; ++i) {
    auto classes = instances.unrelated(5, 5);
    const std::int64_t cost = instances.between(0, 150);
    const auto found = TimedSolver(classes).least_time(cost);
    constexpr std::int64_t kNoLimit = 1'000'000;
    ASSERT_EQ(found.has_value(), brute_force(classes, cost, kNoLimit).has_value());
    if (!found) continue;
    EXPECT_TRUE(brute_force(classes, cost, *found));
    EXPECT_FALSE(brute_force(classes, cost, *found - 1));
  }
}

TEST(TimedKnapsack, ProvesTheOptimumOfWholeNetworks) {
  Instances instances(9);
  for (int i = 0; i < 20; ++i) {
    const auto classes = instances.like_layers(100);
    std::int64_t parameters = 0, fastest = 0;
    for (const TimedClass& items : classes) {
      parameters += items.back().cost / 4;
      fastest += std::min(items.front().time, items[5].time);
    }
    const auto found = TimedSolver(classes).solve(parameters * 5 / 8, fastest * 9 / 10);
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->proven) << i;
    EXPECT_LE(found->bound, found->damage);
    EXPECT_GT(found->bound, 0.9 * found->damage);
  }
}

/// The search may run out of states: then the choice fits all the same, and says so.
TEST(TimedKnapsack, SaysWhenItIsNotProven) {
  Instances instances(10);
  int unproven = 0;
  for (int i = 0; i < 30; ++i) {
    const auto classes = instances.unrelated(40, 8);
    const auto found = TimedSolver(classes).solve(400, -100, classes.size() * 2);
    if (!found) continue;
    EXPECT_LE(found->cost, 400);
    EXPECT_LE(found->time, -100);
    unproven += found->proven ? 0 : 1;
    const auto exact = TimedSolver(classes).solve(400, -100);
    EXPECT_LE(exact->damage, found->damage);
  }
  EXPECT_GT(unproven, 0);
}

TEST(TimedKnapsack, WithoutALimitOfTimeIsTheOneLimitOptimum) {
  const std::vector<TimedClass> classes = {{{1, 5, 3, 0}, {2, 9, 1, 1}}, {{1, 5, 4, 0}, {3, 9, 0.5, 1}}};
  const auto found = TimedSolver(classes).solve(4, 1000);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->choice, (std::vector<std::size_t>{0, 1}));
  EXPECT_DOUBLE_EQ(found->damage, 3.5);
}

}  // namespace
}  // namespace mpq::knapsack
