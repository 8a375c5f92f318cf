#pragma once

#include <set>
#include <string>

#include <onnx/onnx_pb.h>

#include "graph/tensor_store.h"

namespace mpq::runtime {

/// The values the CPU provider still computes once it has fused what it fuses (ORT_ENABLE_EXTENDED: before layouts are
/// chosen): a cut at any other would undo a fusion. Names of initializers are not among them.
/// Empty where the runtime cannot tell: a model it does not load, or one of more than 2 GiB.
std::set<std::string> kept_values(const onnx::ModelProto& skeleton, const graph::TensorStore& store);

}  // namespace mpq::runtime
