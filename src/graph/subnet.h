#pragma once

#include <map>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include "mpq/model.h"

#include "graph/cut.h"

namespace mpq::graph {

/// The part of a run form between two sets of values: the nodes that `outputs` need and that lie behind `inputs`.
/// Nodes that compute constants come along wherever they are needed. Skeleton over RunForm::store; inputs and outputs
/// stand in the order given. `types` tells their types and shapes (-1 and a name for extents that vary).
/// Throws Error{kInternal} when a value is unknown, or the outputs need an input of the network that is not among
/// `inputs`.
onnx::ModelProto subnet(const RunForm& form, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs, const std::map<std::string, ValueInfo>& types);

}  // namespace mpq::graph
