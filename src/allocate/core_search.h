#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "allocate/knapsack.h"

namespace mpq::knapsack {

/// The linear relaxation rounded down to whole items.
struct Rounded {
  std::int64_t slack = 0;       ///< what it leaves of the limit
  double slope = 0;             ///< its price, damage per unit of cost, at which every class holds a cheapest item
  std::size_t break_class = 0;  ///< the class the relaxation splits
  std::size_t most_work = 0;    ///< states the search may make
};

/// Turns the rounded relaxation into the optimal choice.
/// `items`: per class, the item held; on return, the item of the optimum. False when the search met its limit of memory
/// or work: then the best choice found.
bool improve_to_optimum(const std::vector<Class>& classes, const Rounded& start, std::vector<std::size_t>& items);

}  // namespace mpq::knapsack
