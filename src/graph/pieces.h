#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include "graph/cut.h"

namespace mpq::graph {

/// A part of a network that runs after the pieces before it.
struct Piece {
  std::vector<std::string> inputs;     ///< values of earlier pieces and inputs of the network
  std::vector<std::string> outputs;    ///< values that later pieces read, and those wanted of the network
  std::vector<std::string> weights;    ///< large initializers that can be inputs; see fed_model
  std::vector<std::string> constants;  ///< all initializers it computes with
  std::vector<std::string> computed;   ///< constants that nodes of the piece compute from these
  std::vector<int> nodes;              ///< by number, in order; those of constants, which go along, left out
  std::int64_t constant_bytes = 0;     ///< of all it computes with
};

/// Bytes of a constant as the runtime holds it, by name; what is not told counts as it is stored.
using ConstantBytes = std::map<std::string, std::int64_t>;

/// Divides what computes `wanted` into pieces whose constants take `most_bytes` at most, wherever a single node allows
/// that. A cut goes where the fewest values cross, among the places that leave a piece at least half full.
std::vector<Piece> pieces_of(const RunForm& form, const std::vector<std::string>& wanted, std::int64_t most_bytes,
                             const ConstantBytes& known = {});

/// The piece as a model over RunForm::store, `more` values of it as outputs behind its own. Its weights are inputs, so
/// that they can be fed from where they are mapped: a runtime copies constants, and often packs them once more.
/// `types` tells the types of inputs.
onnx::ModelProto fed_model(const RunForm& form, const Piece& piece, const std::map<std::string, ValueInfo>& types,
                           const std::vector<std::string>& more = {});

/// The initializer of that name. Throws Error{kInternal} when there is none.
const onnx::TensorProto& initializer_of(const RunForm& form, const std::string& name);

}  // namespace mpq::graph
