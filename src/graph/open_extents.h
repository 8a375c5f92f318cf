#pragma once

#include <string>
#include <vector>

#include "mpq/model.h"

namespace mpq::graph {

/// Outputs whose extents follow from what the network computes: the boxes NonMaxSuppression keeps, the steps of a Loop
/// that ends when it wants to. Two forms of one model cannot be compared there, since a little damage may change the
/// extents.
struct OpenExtents {
  std::vector<std::string> outputs;
  /// Floating-point values of the main graph, extents not open, from which the operators behind them make such outputs:
  ///   Before: boxes, scores -> NonMaxSuppression -> kept.   In place of `kept`: boxes, scores
  std::vector<ValueInfo> settled;
};

/// Empty where no output is of that kind or nothing in front of them is known to be floating.
OpenExtents open_extents(const Model& model);

}  // namespace mpq::graph
