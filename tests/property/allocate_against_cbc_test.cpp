#include <Cbc_C_Interface.h>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <unistd.h>

#include <gmock/gmock.h>

#include "allocate/knapsack.h"
#include "allocate/timed_knapsack.h"

// The exact allocator against CBC, a branch-and-cut solver that knows nothing of knapsacks with classes.

namespace mpq::knapsack {
namespace {

/// One 0/1 column per item; row 0 limits the costs, row 1 + c takes exactly one item of class c, and the last row
/// limits the times, where they are limited.
class Milp {
 public:
  Milp(const std::vector<TimedClass>& classes, std::int64_t limit, std::optional<std::int64_t> time_limit) {
    add_limit(limit);
    for (std::size_t c = 0; c < classes.size(); ++c) {
      lower_.push_back(1);
      upper_.push_back(1);
    }
    if (time_limit) add_limit(*time_limit);
    for (std::size_t c = 0; c < classes.size(); ++c) {
      for (const TimedItem& item : classes[c]) add_column(item, static_cast<int>(c) + 1, time_limit.has_value());
    }
  }

  /// Which items CBC takes, in column order; nothing when it proves that no choice fits.
  std::optional<std::vector<bool>> solve() const {
    const std::unique_ptr<Cbc_Model, void (*)(Cbc_Model*)> model(Cbc_newModel(), Cbc_deleteModel);
    const std::vector<double> zeros(damages_.size(), 0.0), ones(damages_.size(), 1.0);
    Cbc_loadProblem(model.get(), static_cast<int>(damages_.size()), static_cast<int>(lower_.size()), starts_.data(),
                    rows_.data(), values_.data(), zeros.data(), ones.data(), damages_.data(), lower_.data(),
                    upper_.data());
    for (int column = 0; column < static_cast<int>(damages_.size()); ++column) Cbc_setInteger(model.get(), column);
    for (const char* gap : {"ratioGap", "allowableGap"}) Cbc_setParameter(model.get(), gap, "0");
    Cbc_setParameter(model.get(), "log", "0");
    // With its preprocessing CBC 2.10 called choices optimal that cost twenty times the damage of ours.
    Cbc_setParameter(model.get(), "preprocess", "off");
    Cbc_solve(model.get());
    if (!Cbc_isProvenOptimal(model.get())) return std::nullopt;
    const double* solution = Cbc_getColSolution(model.get());
    std::vector<bool> taken;
    for (std::size_t column = 0; column < damages_.size(); ++column) taken.push_back(solution[column] > 0.5);
    return taken;
  }

 private:
  void add_limit(std::int64_t most) {
    lower_.push_back(-std::numeric_limits<double>::max());
    upper_.push_back(static_cast<double>(most));
  }

  void add_column(const TimedItem& item, int row, bool timed) {
    rows_.insert(rows_.end(), {0, row});
    values_.insert(values_.end(), {static_cast<double>(item.cost), 1.0});
    if (timed) {
      rows_.push_back(static_cast<int>(lower_.size()) - 1);
      values_.push_back(static_cast<double>(item.time));
    }
    starts_.push_back(static_cast<CoinBigIndex>(rows_.size()));
    damages_.push_back(item.damage);
  }

  std::vector<CoinBigIndex> starts_{0};
  std::vector<int> rows_;
  std::vector<double> values_, damages_, lower_, upper_;
};

/// CBC prints a banner whatever its log level; the test's output is kept readable.
class SilentStdout {
 public:
  SilentStdout() : saved_(dup(STDOUT_FILENO)) {
    std::fflush(stdout);
    if (std::freopen("/dev/null", "w", stdout) == nullptr) std::abort();
  }
  ~SilentStdout() {
    std::fflush(stdout);
    dup2(saved_, STDOUT_FILENO);
    close(saved_);
  }

 private:
  int saved_;
};

struct Shape {
  const char* name;
  std::size_t most_classes, most_items;
  std::int64_t most_cost;
  /// Damage of an item of this cost: what makes instances hard is how closely it follows the cost.
  std::function<double(std::mt19937_64&, double cost, double most_cost)> damage;
};

std::vector<Class> random_instance(const Shape& shape, std::mt19937_64& random) {
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  std::vector<Class> classes(static_cast<std::size_t>(between(1, static_cast<std::int64_t>(shape.most_classes))));
  for (Class& items : classes) {
    const std::int64_t count = between(1, static_cast<std::int64_t>(shape.most_items));
    for (std::int64_t i = 0; i < count; ++i) {
      Item item;
      item.cost = between(0, shape.most_cost);
      item.damage = shape.damage(random, static_cast<double>(item.cost), static_cast<double>(shape.most_cost));
      item.origin = static_cast<std::size_t>(i);
      items.push_back(item);
    }
  }
  return classes;
}

std::int64_t random_limit(const std::vector<Class>& classes, std::mt19937_64& random) {
  std::int64_t least = 0, most = 0;
  for (const Class& items : classes) {
    const auto [low, high] =
        std::minmax_element(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.cost < b.cost; });
    least += low->cost;
    most += high->cost;
  }
  // Sometimes below what fits at all.
  return std::uniform_int_distribution<std::int64_t>(least - 1 - (most - least) / 20, most)(random);
}

std::vector<TimedClass> with_times(const std::vector<Class>& classes, const std::function<std::int64_t()>& time) {
  std::vector<TimedClass> result;
  for (const Class& items : classes) {
    TimedClass& timed = result.emplace_back();
    for (const Item& item : items) timed.push_back({item.cost, time(), item.damage, item.origin});
  }
  return result;
}

std::optional<std::vector<bool>> solve_by_cbc(const std::vector<TimedClass>& classes, std::int64_t limit,
                                              std::optional<std::int64_t> time_limit = {}) {
  const SilentStdout silence;
  return Milp(classes, limit, time_limit).solve();
}

/// Cost and damage of what CBC took, from the instance itself: its own objective carries tolerances.
std::pair<std::int64_t, double> totals(const std::vector<Class>& classes, const std::vector<bool>& taken) {
  std::int64_t cost = 0;
  double damage = 0;
  std::size_t column = 0;
  for (const Class& items : classes) {
    for (const Item& item : items) {
      if (!taken[column++]) continue;
      cost += item.cost;
      damage += item.damage;
    }
  }
  return {cost, damage};
}

class AllocateAgainstCbc : public testing::TestWithParam<Shape> {};

TEST_P(AllocateAgainstCbc, FindsTheSameLeastDamage) {
  constexpr int kInstances = 700;
  std::mt19937_64 random(20240220783);
  int feasible = 0;
  for (int instance = 0; instance < kInstances; ++instance) {
    const std::vector<Class> classes = random_instance(GetParam(), random);
    const std::int64_t limit = random_limit(classes, random);
    const Solver solver(classes);
    const std::optional<Solution> ours = solver.solve(limit);
    const auto theirs = solve_by_cbc(with_times(classes, [] { return 0; }), limit);
    ASSERT_EQ(ours.has_value(), theirs.has_value()) << "instance " << instance;
    if (!ours) continue;
    ++feasible;
    const auto [cost, damage] = totals(classes, *theirs);
    ASSERT_LE(cost, limit) << "CBC's own choice is over the limit, instance " << instance;
    ASSERT_LE(ours->cost, limit);
    ASSERT_TRUE(ours->proven);
    const double tolerance = 1e-9 * std::max(1.0, damage);
    ASSERT_NEAR(ours->damage, damage, tolerance) << "instance " << instance;
    ASSERT_LE(*solver.relaxation(limit), damage + tolerance);
  }
  EXPECT_GT(feasible, kInstances * 3 / 4);
}

TEST_P(AllocateAgainstCbc, FindsTheSameLeastDamageWithALimitOfTime) {
  constexpr int kInstances = 350;
  std::mt19937_64 random(20210232921);
  int feasible = 0, bound_by_time = 0;
  for (int instance = 0; instance < kInstances; ++instance) {
    const std::vector<Class> untimed = random_instance(GetParam(), random);
    const auto between = [&](std::int64_t low, std::int64_t high) {
      return std::uniform_int_distribution<std::int64_t>(low, high)(random);
    };
    const std::vector<TimedClass> classes = with_times(untimed, [&] { return between(-100, 40); });
    const std::int64_t limit = random_limit(untimed, random);
    const std::int64_t time_limit = between(-90, 10) * static_cast<std::int64_t>(classes.size());
    const std::optional<TimedSolution> ours = TimedSolver(classes).solve(limit, time_limit);
    const auto theirs = solve_by_cbc(classes, limit, time_limit);
    ASSERT_EQ(ours.has_value(), theirs.has_value()) << "instance " << instance;
    if (!ours) continue;
    ++feasible;
    const double damage = totals(untimed, *theirs).second;
    ASSERT_LE(ours->cost, limit);
    ASSERT_LE(ours->time, time_limit);
    ASSERT_TRUE(ours->proven);
    const double tolerance = 1e-9 * std::max(1.0, damage);
    ASSERT_NEAR(ours->damage, damage, tolerance) << "instance " << instance;
    ASSERT_LE(ours->bound, damage + tolerance);
    bound_by_time += Solver(untimed).solve(limit)->damage < ours->damage - tolerance ? 1 : 0;
  }
  EXPECT_GT(feasible, kInstances / 4);
  EXPECT_GT(bound_by_time, kInstances / 10);
}

double anything(std::mt19937_64& random, double, double) {
  return std::uniform_real_distribution<double>(0, 1000)(random);
}
/// Damage falls fourfold with every further bit, times what the layer is worth: what real scores look like.
double like_real_scores(std::mt19937_64& random, double cost, double most_cost) {
  return 1000 * std::exp2(-12 * cost / most_cost) * std::lognormal_distribution<double>(0, 1)(random);
}
/// Nearly one straight line: many choices are nearly as good.
double nearly_linear(std::mt19937_64& random, double cost, double most_cost) {
  return 1000 * (1 - cost / most_cost) + std::uniform_real_distribution<double>(0, 5)(random);
}

INSTANTIATE_TEST_SUITE_P(Shapes, AllocateAgainstCbc,
                         testing::Values(Shape{"Anything", 12, 8, 1000, anything},
                                         Shape{"LikeRealScores", 20, 9, 20000, like_real_scores},
                                         Shape{"NearlyLinear", 8, 5, 500, nearly_linear},
                                         Shape{"ManyTies", 10, 6, 6,
                                               [](std::mt19937_64& random, double, double) {
                                                 return std::floor(anything(random, 0, 0) / 250);
                                               }}),
                         [](const auto& shape) { return std::string(shape.param.name); });

}  // namespace
}  // namespace mpq::knapsack
