#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/dequantize_tensor.h"
#include "graph/model_impl.h"

namespace mpq::graph {

/// One DequantizeLinear node that can go.
struct Undone {
  int graph = 0, node = 0;                  ///< positions in nested_graphs() of the model
  std::optional<DequantizedTensor> weight;  ///< of a constant: its floats
  std::string source;                       ///< of an activation: what its QuantizeLinear rounded
  /// The activation stands behind an operator that an activation function may follow, and no value below zero can be
  /// held: the largest value that can.
  std::optional<float> upper;
  int element_type = onnx::TensorProto::FLOAT;  ///< of its scale, hence of what it gives
};

/// Every DequantizeLinear of a constant or of a QuantizeLinear of the same scale and zero point, in graph order.
std::vector<Undone> find_undone(const Model::Impl& impl);

}  // namespace mpq::graph
