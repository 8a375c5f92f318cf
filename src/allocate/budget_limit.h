#pragma once

#include <cstdint>
#include <string>

#include "mpq/allocate.h"

namespace mpq::knapsack {

/// The smallest and the largest plan in both measures a budget may be meant in.
struct FeasibleRange {
  std::int64_t least_stored = 0, most_stored = 0;  ///< bytes of the quantizable weights
  std::int64_t least_file = 0, most_file = 0;      ///< bytes of the written file
};

/// "2.09bit to 32bit, or 1.21MB to 18.6MB, ...": every unit a budget can be given in, the asked-for one first. The
/// lower ends are rounded so that they can be typed as a budget.
std::string describe_range(const FeasibleRange& range, Budget::Unit unit, const Sensitivity& scores);

/// "9.13ms": three digits, rounded up so that it can be typed as a budget that is met.
std::string time_budget_text(double seconds);

/// Weights of all quantizable layers.
std::int64_t parameters_of(const Sensitivity& scores);

}  // namespace mpq::knapsack
