#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace mpq::knapsack {

/// One way to fill a class: exactly one item of every class is taken.
struct TimedItem {
  std::int64_t cost = 0;
  std::int64_t time = 0;  ///< may be negative: what it saves
  double damage = 0;
  std::size_t origin = 0;  ///< the caller's number for it
};
using TimedClass = std::vector<TimedItem>;

struct TimedSolution {
  std::vector<std::size_t> choice;  ///< per class, the chosen item's origin
  std::int64_t cost = 0;
  std::int64_t time = 0;
  double damage = 0;
  double bound = 0;    ///< no choice within both limits does better: the Lagrangian dual
  bool proven = true;  ///< false only when the search met its limit of states: the best choice found
};

/// Multiple-choice knapsack with two limits: least sum of damages with limited sums of costs and of times.
///   Bound: the Lagrangian dual in both limits, whose inner problem over the costs is the exact one-limit solver.
///   Exact: dynamic programming over the classes, where states die that another one dominates in all three sums or
///          that the bound shows to be no better than the best choice known (Dyer, Riha, Walker, "A hybrid dynamic
///          programming/branch-and-bound algorithm for the multiple-choice knapsack problem", JCAM 58, 1995).
/// Damages that differ by less than 1e-12 of the optimum are equal.
class TimedSolver {
 public:
  explicit TimedSolver(std::vector<TimedClass> classes);

  /// The fastest choice within the limit of costs; nothing when none fits.
  std::optional<std::int64_t> least_time(std::int64_t cost_limit) const;

  /// The choice of least damage within both limits; nothing when none fits. `most_states` bounds the search's memory.
  std::optional<TimedSolution> solve(std::int64_t cost_limit, std::int64_t time_limit,
                                     std::size_t most_states = std::size_t{1} << 21) const;

 private:
  std::vector<TimedClass> classes_;  ///< costs and times less the least of their class
  std::int64_t least_cost_ = 0, least_time_ = 0;
};

}  // namespace mpq::knapsack
