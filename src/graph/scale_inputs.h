#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "mpq/model.h"

#include "graph/values.h"

namespace mpq::graph {

/// An input of products that is divided, channel by channel, by what their weights are multiplied with.
struct InputScaling {
  std::string input;
  std::vector<float> factors;        ///< of the weights, one per channel
  std::vector<std::string> weights;  ///< [channels, outputs], of the MatMul nodes that shall read the divided input
};

/// The same network up to rounding, with divided inputs:
///
///   Before: a -> MatMul(w)
///   After:  a -> Mul(Cast(1 / factors)) -> MatMul(factors * w)      one Mul for all products of a scaling
///
/// 1 / factors are stored as half floats, and the weights are divided by these. `scaled` holds, per scaling, the name
/// of the divided input. Weights are float32, of the main graph, and each is read by one MatMul alone.
struct ScaledInputs {
  Model model;
  std::vector<std::string> scaled;
};
ScaledInputs scale_inputs(const Model& model, const std::vector<InputScaling>& scalings);

/// True for what such a Mul gives, in the main graph.
bool is_scaled_input(const ValueTable& table, const std::string& value);

/// How many bytes a scaling of an input of so many channels adds to a file, at most.
std::int64_t scaling_bytes(std::int64_t channels);

}  // namespace mpq::graph
