#pragma once

#include <string>
#include <vector>

#include <onnx/onnx_pb.h>
#include <onnxruntime_cxx_api.h>

#include "graph/tensor_store.h"

namespace mpq::runtime {

/// A skeleton made ready for ONNX Runtime: the serialised graph, and the stored tensors it takes from memory.
/// The values view the store's bytes, which the runtime copies while it creates the session.
struct Loadable {
  std::string bytes;
  std::vector<std::string> names;
  std::vector<Ort::Value> values;
};

/// Throws Error{kUnsupported} when more than 2 GiB have to stay inside the protobuf.
Loadable make_loadable(const onnx::ModelProto& skeleton, const graph::TensorStore& store);

}  // namespace mpq::runtime
