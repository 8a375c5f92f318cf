#pragma once

#include <cstdint>

#include <onnx/onnx_pb.h>

namespace mpq::graph {

/// The model in a newer operator set, computing the same, by ONNX's version converter; tensors in a store stay there.
/// Values keep their names. Throws std::exception where the converter knows no way.
onnx::ModelProto raised_opset(onnx::ModelProto model, std::int64_t version);

}  // namespace mpq::graph
