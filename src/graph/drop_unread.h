#pragma once

#include <string>
#include <unordered_set>

#include <onnx/onnx_pb.h>

namespace mpq::graph {

/// Clears up behind removed nodes: of the values they read, those that nobody reads any more go, when they are
/// initializers or come from a standard operator without bodies whose other outputs nobody reads either; its inputs are
/// looked at next. Shapes of values that are no longer there go too.
void drop_unread(onnx::ModelProto& model, std::unordered_set<std::string> perhaps_unread);

}  // namespace mpq::graph
