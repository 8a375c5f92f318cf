#pragma once

#include <cstdint>
#include <vector>

#include "graph/function_weights.h"
#include "graph/values.h"
#include "graph/weight_roles.h"

namespace mpq::graph {

/// Where a stored tensor ends up.
struct WeightTrace {
  struct Use {
    Read read;
    WeightRole role;  ///< in the axes of the stored tensor
  };
  std::vector<Use> uses;        ///< weight inputs it reaches, each once
  std::vector<Read> others;     ///< inputs it reaches that are no weight inputs
  std::vector<Read> quantized;  ///< inputs of quantized operators it reaches
  bool reaches_output = false;  ///< it, or what is computed from it alone, is an output of its graph
};

/// Follows value `start` of the table, a stored tensor of the given shape, to every operator it enters: directly or
/// through constant layout changes and arithmetic, and through arguments of model-local functions.
WeightTrace trace_weight(const ValueTable& table, const FunctionWeights& functions, int start,
                         const std::vector<std::int64_t>& shape);

}  // namespace mpq::graph
