#pragma once

#include <onnx/onnx_pb.h>

namespace mpq::graph::adjoint {

// Nodes of the main graph that stand for others are written out as these; values that were there keep their names. What
// ONNX's inliner cannot write out stays. True where anything changed.

/// Calls of model-local functions.
bool write_out_calls(onnx::ModelProto& model);

/// Operators without a rule that ONNX defines by others: GroupNormalization, Celu.
bool write_out_operators(onnx::ModelProto& model);

}  // namespace mpq::graph::adjoint
