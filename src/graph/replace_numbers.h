#pragma once

#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include "graph/tensor_store.h"

namespace mpq::graph {

/// Gives the constant `name` of the main graph (an initializer or a Constant node) other numbers: as many, of its own
/// type, in the field it stands in, so that the file keeps its size. Throws Error{kInternal} where that cannot be done.
void replace_numbers(onnx::ModelProto& model, TensorStore& store, const std::string& name,
                     const std::vector<float>& numbers);

/// The numbers of a float32 constant of the main graph. Throws Error{kInternal} where there is none.
std::vector<float> read_numbers(const onnx::ModelProto& model, const TensorStore& store, const std::string& name);

}  // namespace mpq::graph
