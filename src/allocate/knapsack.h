#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace mpq::knapsack {

/// One way to fill a class of a multiple-choice knapsack: exactly one item of every class is taken.
struct Item {
  std::int64_t cost = 0;
  double damage = 0;
  std::int64_t companion = 0;  ///< a second size, summed along but neither limited nor minimised
  std::size_t origin = 0;      ///< the caller's number for it
};
using Class = std::vector<Item>;

/// The items of a class that are worth taking at any budget: by rising cost, strictly falling damage.
Class non_dominated(Class items);

struct Solution {
  std::vector<std::size_t> choice;  ///< per class, the chosen item's origin
  std::int64_t cost = 0;
  std::int64_t companion = 0;
  double damage = 0;
  bool proven = true;  ///< false only when the search met its limit of memory or work: the best choice found
};

/// A point of the frontier: the least damage for at most `cost`.
struct Point {
  std::int64_t cost = 0;
  double damage = 0;
  std::int64_t companion = 0;
};

/// Multiple-choice knapsack: least sum of damages with a limited sum of costs.
///   Relaxation: Sinha and Zoltners, "The multiple-choice knapsack problem", Operations Research 27 (1979).
///   Exact:      Pisinger, "A minimal algorithm for the multiple-choice knapsack problem", EJOR 83 (1995).
class Solver {
 public:
  explicit Solver(std::vector<Class> classes);

  const std::vector<Class>& classes() const { return classes_; }
  std::int64_t least_cost() const { return prefix_.front().cost; }

  /// Damage of the linear relaxation: no choice within the limit does better. Nothing when no choice fits.
  std::optional<double> relaxation(std::int64_t limit) const;
  /// What the relaxation would pay for one more unit of cost at the limit, in damage; 0 when nothing is to be gained.
  double price(std::int64_t limit) const;

  /// The choice of least damage within the limit; of equal damage, the one of least cost. Nothing when none fits.
  /// `most_work` bounds the states of the search (2^28: some seconds, which only contrived instances need).
  std::optional<Solution> solve(std::int64_t limit, std::size_t most_work = std::size_t{1} << 28) const;

  /// The corners of the relaxation, each itself an optimal choice for its cost, by rising cost.
  const std::vector<Point>& corners() const { return prefix_; }

 private:
  /// One step down the convex hull of a class: the relaxation takes the steps in order of `slope`.
  struct Step {
    std::size_t class_index;
    std::size_t from, to;  ///< items of the class
    double slope;          ///< damage saved per unit of cost
  };
  std::vector<Step> hull_steps(std::size_t class_index) const;
  void sum_damages_from_the_end();
  /// Steps of the relaxation that fit whole.
  std::size_t whole_steps(std::int64_t limit) const;
  std::vector<std::size_t> items_after(std::size_t steps) const;
  Solution solution(const std::vector<std::size_t>& items) const;

  std::vector<Class> classes_;
  std::vector<Step> steps_;       ///< by falling slope
  std::vector<Point> prefix_;     ///< sums after 0, 1, ... steps
  std::int64_t granularity_ = 1;  ///< greatest common divisor of all cost differences within classes
};

/// How far the frontier is worked out. It may have exponentially many points.
struct FrontierEffort {
  std::size_t most_points = std::size_t{1} << 16;
  std::size_t most_merged = std::size_t{1} << 20;  ///< states looked at in all merges together
  std::size_t exact_budgets = 64;                  ///< when thinned: budgets solved beside the relaxation's corners
  std::size_t most_work = std::size_t{1} << 17;    ///< of each of these; what takes longer is left out
};

/// Every non-dominated point, by merging class after class (Nemhauser and Ullmann, "Discrete dynamic programming and
/// capital allocation", Management Science 15, 1969). Nothing when that exceeds the effort.
std::optional<std::vector<Point>> whole_frontier(const std::vector<Class>& classes, const FrontierEffort& effort = {});

/// A part of the frontier, each point an exact optimum: the relaxation's corners, and evenly spread budgets.
std::vector<Point> thinned_frontier(const Solver& solver, const FrontierEffort& effort = {});

}  // namespace mpq::knapsack
