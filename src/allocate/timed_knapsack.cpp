#include "allocate/timed_knapsack.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>

#include "allocate/knapsack.h"

namespace mpq::knapsack {
namespace {

constexpr std::size_t kFirstStates = std::size_t{1} << 14;
constexpr double kEqual = 1e-12;     ///< relative to the damage of a choice
constexpr double kRounding = 1e-14;  ///< of the sums that make the bound, relative to their largest term

struct Limits {
  std::int64_t cost = 0, time = 0;
};

/// A place in every class.
struct Choice {
  std::vector<std::size_t> items;
  std::int64_t cost = 0, time = 0;
  double damage = 0;
  bool fits(const Limits& limits) const { return cost <= limits.cost && time <= limits.time; }
};

Choice sums(const std::vector<TimedClass>& classes, std::vector<std::size_t> items) {
  Choice choice{std::move(items), 0, 0, 0};
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const TimedItem& item = classes[c][choice.items[c]];
    choice.cost += item.cost;
    choice.time += item.time;
    choice.damage += item.damage;
  }
  return choice;
}

/// The one-limit problem in the costs, of any other measure.
Solver over_costs(const std::vector<TimedClass>& classes, const std::function<double(const TimedItem&)>& measure) {
  std::vector<Class> result;
  for (const TimedClass& items : classes) {
    Class& flat = result.emplace_back();
    for (std::size_t i = 0; i < items.size(); ++i) flat.push_back({items[i].cost, measure(items[i]), 0, i});
  }
  return Solver(std::move(result));
}

/// Takes the one change of a class that saves most damage, again and again.
void polish(const std::vector<TimedClass>& classes, const Limits& limits, Choice& choice) {
  for (;;) {
    double saved = 0;
    std::size_t at = 0, to = 0;
    for (std::size_t c = 0; c < classes.size(); ++c) {
      const TimedItem& now = classes[c][choice.items[c]];
      for (std::size_t i = 0; i < classes[c].size(); ++i) {
        const TimedItem& item = classes[c][i];
        const bool fits =
            choice.cost - now.cost + item.cost <= limits.cost && choice.time - now.time + item.time <= limits.time;
        if (!fits || now.damage - item.damage <= saved) continue;
        saved = now.damage - item.damage;
        at = c;
        to = i;
      }
    }
    if (saved <= 0) return;
    choice.items[at] = to;
    choice = sums(classes, std::move(choice.items));
  }
}

/// Prices of a unit of cost and of time, and what they prove.
struct Dual {
  double per_cost = 0, per_time = 0;
  double bound = -std::numeric_limits<double>::infinity();
};

double priced(const TimedItem& item, const Dual& dual) {
  return item.damage + dual.per_cost * static_cast<double>(item.cost) + dual.per_time * static_cast<double>(item.time);
}

double least_priced(const TimedClass& items, const Dual& dual) {
  double least = std::numeric_limits<double>::infinity();
  for (const TimedItem& item : items) least = std::min(least, priced(item, dual));
  return least;
}

void set_bound(const std::vector<TimedClass>& classes, const Limits& limits, Dual& dual) {
  dual.bound = -dual.per_cost * static_cast<double>(limits.cost) - dual.per_time * static_cast<double>(limits.time);
  for (const TimedClass& items : classes) dual.bound += least_priced(items, dual);
}

/// Searches the price of time at which the costs' own optimum just meets the limit of time: there the dual is greatest.
class DualSearch {
 public:
  DualSearch(const std::vector<TimedClass>& classes, const Limits& limits, Choice feasible)
      : classes_(classes), limits_(limits), best_(std::move(feasible)) {
    polish(classes_, limits_, best_);
  }

  void run() {
    constexpr int kDoublings = 200, kHalvings = 48;
    double high = 0;
    for (const TimedClass& items : classes_) {
      for (const TimedItem& item : items) high = std::max(high, item.damage);
    }
    high = std::max(high, 1e-300) / static_cast<double>(std::max<std::int64_t>(limits_.time, 1));
    double low = high;
    for (int i = 0; i < kDoublings && too_slow_at(high); ++i) high *= 2;
    for (int i = 0; i < kDoublings && !too_slow_at(low); ++i) low /= 2;
    for (int i = 0; i < kHalvings; ++i) {
      const double middle = std::sqrt(low) * std::sqrt(high);
      (too_slow_at(middle) ? low : high) = middle;
    }
  }

  const Choice& best() const { return best_; }
  const Dual& dual() const { return dual_; }

 private:
  bool too_slow_at(double per_time) {
    constexpr std::size_t kWork = std::size_t{1} << 14;
    const Solver solver = over_costs(
        classes_, [&](const TimedItem& item) { return item.damage + per_time * static_cast<double>(item.time); });
    Dual dual{solver.price(limits_.cost), per_time, 0};
    set_bound(classes_, limits_, dual);
    if (dual.bound > dual_.bound) dual_ = dual;
    Choice choice = sums(classes_, solver.solve(limits_.cost, kWork)->choice);
    if (choice.time > limits_.time) return true;
    polish(classes_, limits_, choice);
    if (choice.damage < best_.damage) best_ = std::move(choice);
    return false;
  }

  const std::vector<TimedClass>& classes_;
  const Limits& limits_;
  Choice best_;
  Dual dual_;
};

/// The choice is made for some classes.
struct State {
  std::int64_t cost = 0, time = 0;
  double damage = 0;
  double lost = 0;  ///< what it misses the bound by, so far
  std::uint32_t before = 0;
  std::uint32_t item = 0;
};

/// By rising cost, none at least as large in all three sums as another.
void drop_dominated(std::vector<State>& states) {
  std::sort(states.begin(), states.end(), [](const State& a, const State& b) {
    return std::tie(a.cost, a.time, a.damage, a.before, a.item) < std::tie(b.cost, b.time, b.damage, b.before, b.item);
  });
  std::map<std::int64_t, double> stairs;  // time -> damage, falling, of the states of no greater cost
  std::erase_if(states, [&](const State& state) {
    auto next = stairs.upper_bound(state.time);
    if (next != stairs.begin() && std::prev(next)->second <= state.damage) return true;
    while (next != stairs.end() && next->second >= state.damage) next = stairs.erase(next);
    stairs[state.time] = state.damage;
    return false;
  });
}

class ExactSearch {
 public:
  ExactSearch(const std::vector<TimedClass>& classes, const Limits& limits, const Dual& dual)
      : classes_(classes), limits_(limits), dual_(dual) {}

  /// False when the states ran out: then `best` may not be the optimum.
  bool improve(Choice& best, std::size_t most_states) {
    least_.clear();
    for (const TimedClass& items : classes_) least_.push_back(least_priced(items, dual_));
    const double scale = std::abs(dual_.bound) + dual_.per_cost * static_cast<double>(limits_.cost) +
                         dual_.per_time * static_cast<double>(limits_.time);
    most_lost_ = best.damage * (1 - kEqual) - dual_.bound + kRounding * scale;
    if (!keep_survivors()) return true;
    const std::size_t most_in_level = most_states / classes_.size();
    std::vector<std::vector<State>> levels{{State{}}};
    bool proven = true;
    for (const std::size_t c : order_) {
      levels.push_back(next_level(c, levels.back()));
      if (levels.back().empty()) return proven;  // nothing is better than `best`
      if (levels.back().size() <= most_in_level) continue;
      keep_nearest(most_in_level, levels.back());
      proven = false;
    }
    const std::vector<State>& ends = levels.back();
    auto end =
        std::min_element(ends.begin(), ends.end(), [](const State& a, const State& b) { return a.damage < b.damage; });
    if (end->damage < best.damage) best = trace(levels, static_cast<std::size_t>(end - ends.begin()));
    return proven;
  }

 private:
  double lost_by(std::size_t c, std::size_t i) const { return priced(classes_[c][i], dual_) - least_[c]; }

  /// Items that a better choice may hold; classes with few of them first. False when a class is left without any.
  bool keep_survivors() {
    survivors_.assign(classes_.size(), {});
    for (std::size_t c = 0; c < classes_.size(); ++c) {
      for (std::size_t i = 0; i < classes_[c].size(); ++i) {
        if (lost_by(c, i) <= most_lost_) survivors_[c].push_back(i);
      }
      if (survivors_[c].empty()) return false;
    }
    order_.resize(classes_.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::stable_sort(order_.begin(), order_.end(),
                     [&](std::size_t a, std::size_t b) { return survivors_[a].size() < survivors_[b].size(); });
    rest_.assign(classes_.size(), {});  // by class: what those behind it take at least
    Limits sum;
    for (auto c = order_.rbegin(); c != order_.rend(); ++c) {
      rest_[*c] = sum;
      Limits least{limits_.cost + 1, limits_.time + 1};
      for (const std::size_t i : survivors_[*c]) {
        least.cost = std::min(least.cost, classes_[*c][i].cost);
        least.time = std::min(least.time, classes_[*c][i].time);
      }
      sum.cost += least.cost;
      sum.time += least.time;
    }
    return true;
  }

  std::vector<State> next_level(std::size_t c, const std::vector<State>& level) const {
    std::vector<State> result;
    for (std::size_t s = 0; s < level.size(); ++s) {
      for (const std::size_t i : survivors_[c]) {
        const TimedItem& item = classes_[c][i];
        const State next{level[s].cost + item.cost,     level[s].time + item.time,     level[s].damage + item.damage,
                         level[s].lost + lost_by(c, i), static_cast<std::uint32_t>(s), static_cast<std::uint32_t>(i)};
        const bool fits = next.cost + rest_[c].cost <= limits_.cost && next.time + rest_[c].time <= limits_.time;
        if (fits && next.lost <= most_lost_) result.push_back(next);
      }
    }
    drop_dominated(result);
    return result;
  }

  static void keep_nearest(std::size_t count, std::vector<State>& states) {
    std::stable_sort(states.begin(), states.end(), [](const State& a, const State& b) { return a.lost < b.lost; });
    states.resize(count);
  }

  Choice trace(const std::vector<std::vector<State>>& levels, std::size_t state) const {
    std::vector<std::size_t> items(classes_.size());
    for (std::size_t level = order_.size(); level > 0; --level) {
      const State& at = levels[level][state];
      items[order_[level - 1]] = at.item;
      state = at.before;
    }
    return sums(classes_, std::move(items));
  }

  const std::vector<TimedClass>& classes_;
  const Limits& limits_;
  const Dual& dual_;
  double most_lost_ = 0;
  std::vector<double> least_;
  std::vector<std::vector<std::size_t>> survivors_;
  std::vector<std::size_t> order_;
  std::vector<Limits> rest_;
};

}  // namespace

TimedSolver::TimedSolver(std::vector<TimedClass> classes) : classes_(std::move(classes)) {
  for (TimedClass& items : classes_) {
    std::int64_t cost = items.front().cost, time = items.front().time;
    for (const TimedItem& item : items) {
      cost = std::min(cost, item.cost);
      time = std::min(time, item.time);
    }
    for (TimedItem& item : items) {
      item.cost -= cost;
      item.time -= time;
    }
    least_cost_ += cost;
    least_time_ += time;
  }
}

std::optional<std::int64_t> TimedSolver::least_time(std::int64_t cost_limit) const {
  const Solver solver = over_costs(classes_, [](const TimedItem& item) { return static_cast<double>(item.time); });
  const auto fastest = solver.solve(cost_limit - least_cost_);
  if (!fastest) return std::nullopt;
  return sums(classes_, fastest->choice).time + least_time_;
}

std::optional<TimedSolution> TimedSolver::solve(std::int64_t cost_limit, std::int64_t time_limit,
                                                std::size_t most_states) const {
  const Limits limits{cost_limit - least_cost_, time_limit - least_time_};
  const Solver untimed = over_costs(classes_, [](const TimedItem& item) { return item.damage; });
  const auto finish = [&](const Choice& choice, double bound, bool proven) {
    TimedSolution result{
        {},    choice.cost + least_cost_, choice.time + least_time_, choice.damage, std::min(bound, choice.damage),
        proven};
    for (std::size_t c = 0; c < classes_.size(); ++c) result.choice.push_back(classes_[c][choice.items[c]].origin);
    return result;
  };
  const auto any = untimed.solve(limits.cost);
  if (!any) return std::nullopt;
  const Choice unlimited = sums(classes_, any->choice);
  if (unlimited.fits(limits)) return finish(unlimited, *untimed.relaxation(limits.cost), any->proven);
  const Solver times = over_costs(classes_, [](const TimedItem& item) { return static_cast<double>(item.time); });
  Choice fastest = sums(classes_, times.solve(limits.cost)->choice);
  if (!fastest.fits(limits)) return std::nullopt;
  DualSearch search(classes_, limits, std::move(fastest));
  search.run();
  Choice best = search.best();
  // A narrow search finds better choices, which keep the wide one small.
  bool proven = false;
  for (std::size_t states = std::min(kFirstStates, most_states); !proven; states *= 8) {
    proven = ExactSearch(classes_, limits, search.dual()).improve(best, std::min(states, most_states));
    if (states >= most_states) break;
  }
  return finish(best, search.dual().bound, proven);
}

}  // namespace mpq::knapsack
