#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "allocate/knapsack.h"

namespace mpq::knapsack {

/// Items that need something paid for once, by whichever needs it first: the functions of a file.
struct SharedFunctions {
  /// Of an item's class and origin; empty for none.
  std::function<const std::string&(std::size_t, std::size_t)> of;
  std::function<std::int64_t(const std::string&)> bytes;
};

/// Least damage within `room`, functions included, as far as found: from none, and from the functions that `start`
/// needs, one is added or left out at a time as long as the exact knapsack within those that remain gains by it.
/// Nothing where no choice fits.
std::optional<Solution> choose_functions(const std::vector<Class>& classes, const SharedFunctions& functions,
                                         std::int64_t room, const std::optional<std::vector<std::size_t>>& start);

}  // namespace mpq::knapsack
