#include "allocate/knapsack.h"

#include <algorithm>
#include <numeric>

#include "allocate/core_search.h"

namespace mpq::knapsack {

Class non_dominated(Class items) {
  std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
    if (a.cost != b.cost) return a.cost < b.cost;
    if (a.damage != b.damage) return a.damage < b.damage;
    return a.companion < b.companion;
  });
  Class kept;
  for (const Item& item : items) {
    if (kept.empty() || item.damage < kept.back().damage) kept.push_back(item);
  }
  return kept;
}

Solver::Solver(std::vector<Class> classes) : classes_(std::move(classes)) {
  Point sum;
  std::int64_t divisor = 0;
  for (std::size_t c = 0; c < classes_.size(); ++c) {
    classes_[c] = non_dominated(std::move(classes_[c]));
    const Item& cheapest = classes_[c].front();
    sum.cost += cheapest.cost;
    sum.companion += cheapest.companion;
    for (const Item& item : classes_[c]) divisor = std::gcd(divisor, item.cost - cheapest.cost);
    const std::vector<Step> steps = hull_steps(c);
    steps_.insert(steps_.end(), steps.begin(), steps.end());
  }
  granularity_ = std::max<std::int64_t>(divisor, 1);
  // Stable: steps of one class stay in their order, because their slopes never rise.
  std::stable_sort(steps_.begin(), steps_.end(), [](const Step& a, const Step& b) { return a.slope > b.slope; });
  prefix_.push_back(sum);
  for (const Step& step : steps_) {
    const Item& from = classes_[step.class_index][step.from];
    const Item& to = classes_[step.class_index][step.to];
    sum.cost += to.cost - from.cost;
    sum.companion += to.companion - from.companion;
    prefix_.push_back(sum);
  }
  sum_damages_from_the_end();
}

/// Damages span many orders of magnitude: subtracting step after step from the large end would leave the small end
/// without a correct digit, adding from the small end keeps all.
void Solver::sum_damages_from_the_end() {
  double damage = 0;
  for (const Class& items : classes_) damage += items.back().damage;
  for (std::size_t s = steps_.size(); s > 0; --s) {
    prefix_[s].damage = damage;
    const Class& items = classes_[steps_[s - 1].class_index];
    damage += items[steps_[s - 1].from].damage - items[steps_[s - 1].to].damage;
  }
  prefix_.front().damage = damage;
}

std::vector<Solver::Step> Solver::hull_steps(std::size_t class_index) const {
  const Class& items = classes_[class_index];
  const auto slope = [&](std::size_t from, std::size_t to) {
    return (items[from].damage - items[to].damage) / static_cast<double>(items[to].cost - items[from].cost);
  };
  std::vector<std::size_t> hull;
  for (std::size_t i = 0; i < items.size(); ++i) {
    while (hull.size() >= 2 && slope(hull[hull.size() - 2], hull.back()) <= slope(hull.back(), i)) hull.pop_back();
    hull.push_back(i);
  }
  std::vector<Step> steps;
  for (std::size_t i = 1; i < hull.size(); ++i) {
    steps.push_back({class_index, hull[i - 1], hull[i], slope(hull[i - 1], hull[i])});
  }
  return steps;
}

std::size_t Solver::whole_steps(std::int64_t limit) const {
  const auto beyond = std::upper_bound(prefix_.begin(), prefix_.end(), limit,
                                       [](std::int64_t value, const Point& point) { return value < point.cost; });
  return static_cast<std::size_t>(beyond - prefix_.begin()) - 1;
}

std::optional<double> Solver::relaxation(std::int64_t limit) const {
  if (limit < least_cost()) return std::nullopt;
  const std::size_t whole = whole_steps(limit);
  const double damage = solution(items_after(whole)).damage;  // a fresh sum: the prefix's are good to a few digits less
  if (whole == steps_.size()) return damage;
  return damage - steps_[whole].slope * static_cast<double>(limit - prefix_[whole].cost);
}

double Solver::price(std::int64_t limit) const {
  const std::size_t whole = whole_steps(std::max(limit, least_cost()));
  return whole == steps_.size() ? 0 : steps_[whole].slope;
}

std::vector<std::size_t> Solver::items_after(std::size_t steps) const {
  std::vector<std::size_t> items(classes_.size(), 0);
  for (std::size_t s = 0; s < steps; ++s) items[steps_[s].class_index] = steps_[s].to;
  return items;
}

Solution Solver::solution(const std::vector<std::size_t>& items) const {
  Solution result;
  for (std::size_t c = 0; c < classes_.size(); ++c) {
    const Item& item = classes_[c][items[c]];
    result.choice.push_back(item.origin);
    result.cost += item.cost;
    result.companion += item.companion;
    result.damage += item.damage;
  }
  return result;
}

std::optional<Solution> Solver::solve(std::int64_t limit, std::size_t most_work) const {
  if (limit < least_cost()) return std::nullopt;
  const std::size_t whole = whole_steps(limit);
  std::vector<std::size_t> items = items_after(whole);
  if (whole == steps_.size()) return solution(items);
  // Costs only differ by multiples of the granularity; slack below it can never be used.
  const std::int64_t slack = limit - prefix_[whole].cost;
  const Rounded start{slack - slack % granularity_, steps_[whole].slope, steps_[whole].class_index, most_work};
  const bool proven = improve_to_optimum(classes_, start, items);
  Solution result = solution(items);
  result.proven = proven;
  return result;
}

}  // namespace mpq::knapsack
