#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "mpq/model.h"

#include "graph/integer_units.h"

namespace mpq::graph {

/// What the choice between integers and floats rests on.
struct RegionFacts {
  std::map<std::string, std::int64_t> elements;  ///< of the units' activations, of one run
  std::set<std::string> float_values;            ///< activations that cannot be integers: masks, other types
  std::set<std::size_t> float_units;             ///< units that are to stay in floats
  /// What turning an activation into integers costs besides time; absent: nothing.
  std::map<std::string, double> price;
};

/// Units that run on integers, and the activations they need as integers.
struct IntegerRegion {
  std::vector<char> integer;                ///< per unit
  std::set<std::string> values;             ///< activations that are rounded to a grid
  std::map<std::string, std::string> same;  ///< activation -> the one whose grid it shares, handed on by a unit
};

/// The cheapest split of the units into integers and floats, transitions between the two included: a minimum cut.
/// Times are estimated from multiplications and elements (docs/compute-forms.md), not measured, so that equal models
/// give equal results everywhere; `price` comes on top, times `weight` (time units per unit of price).
IntegerRegion integer_region(const Model& model, const IntegerUnits& units, const RegionFacts& facts, double weight);

/// Estimated time units that the region saves over running everything in floats.
double saved_time(const Model& model, const IntegerUnits& units, const RegionFacts& facts, const IntegerRegion& region);

}  // namespace mpq::graph
