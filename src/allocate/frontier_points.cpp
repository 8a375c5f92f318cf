#include <algorithm>

#include "allocate/knapsack.h"
#include "allocate/pareto.h"

namespace mpq::knapsack {

std::optional<std::vector<Point>> whole_frontier(const std::vector<Class>& classes, const FrontierEffort& effort) {
  std::vector<Point> points{Point{}};
  std::vector<Point> merged, shifted, scratch;
  std::size_t work = 0;
  for (const Class& items : classes) {
    merged.clear();
    for (const Item& item : items) {
      shifted.clear();
      for (const Point& point : points) {
        shifted.push_back({point.cost + item.cost, point.damage + item.damage, point.companion + item.companion});
      }
      work += merged.size() + shifted.size();
      merge_non_dominated(merged, shifted, scratch);
      std::swap(merged, scratch);
      if (merged.size() > effort.most_points || work > effort.most_merged) return std::nullopt;
    }
    std::swap(points, merged);
  }
  return points;
}

std::vector<Point> thinned_frontier(const Solver& solver, const FrontierEffort& effort) {
  std::vector<Point> points = solver.corners();
  const std::int64_t least = points.front().cost;
  const std::int64_t range = points.back().cost - least;
  const auto parts = static_cast<std::int64_t>(effort.exact_budgets) + 1;
  for (std::int64_t part = 1; part < parts; ++part) {
    const std::int64_t limit = least + range / parts * part + range % parts * part / parts;
    const auto solved = solver.solve(limit, effort.most_work);
    if (solved && solved->proven) points.push_back({solved->cost, solved->damage, solved->companion});
  }
  std::stable_sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.cost < b.cost; });
  std::vector<Point> result;
  for (const Point& point : points) append_non_dominated(result, point);
  return result;
}

}  // namespace mpq::knapsack
