#pragma once

#include <onnx/onnx_pb.h>

#include "graph/adjoint/builder.h"
#include "graph/cut.h"

namespace mpq::graph::adjoint {

// Nodes of the main graph that stand for others are written out as these; values that were there keep their names. What
// cannot be written out stays.

/// Calls of model-local functions. True where anything changed.
bool write_out_calls(onnx::ModelProto& model);

/// Operators without a rule that ONNX defines by others: GroupNormalization, Celu. True where anything changed.
bool write_out_operators(onnx::ModelProto& model);

/// What takes shapes to write out: recurrent operators (unroll.h) and ONNX Runtime's fused ones (contrib.h). Shares its
/// index with `form` when nothing was written out.
RunForm written_out(const RunForm& form, const FactsMap& facts);

}  // namespace mpq::graph::adjoint
