#pragma once

#include <map>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include "mpq/model.h"

#include "graph/cut.h"

// Writing part of a run form as a model of its own.

namespace mpq::graph {

/// What a cut keeps, by the numbers of the run form's index.
struct Selection {
  std::vector<char> nodes;      // kept?
  std::vector<char> constants;  // initializers needed?
  std::vector<int> boundary;    // values to feed
  std::vector<int> targets;     // values to compute
};

/// A model with everything of the form but its graph's contents.
onnx::ModelProto frame(const onnx::ModelProto& model);

/// Inputs, outputs and contents of a selection. `types` tells the types of inputs that are none of the network, and of
/// outputs where known. Throws Error{kInternal} for a boundary value without a type.
void add_boundary(const RunForm& form, const std::vector<int>& boundary, const std::map<std::string, ValueInfo>& types,
                  onnx::GraphProto& graph);
void add_outputs(const RunForm& form, const std::vector<int>& targets, const std::map<std::string, ValueInfo>& types,
                 onnx::GraphProto& graph);
void add_contents(const RunForm& form, const Selection& selection, onnx::GraphProto& graph);

}  // namespace mpq::graph
