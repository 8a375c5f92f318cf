#pragma once

#include <set>
#include <string>

#include <onnx/onnx_pb.h>

#include "graph/graph_writer.h"

namespace mpq::graph {

/// Products of activations that become integers at every run, or of weights alone that are integers, as products of
/// floats: MatMulInteger and ConvInteger with the Cast and the scales behind them, DynamicQuantizeMatMul,
/// MatMulIntegerToFloat, DynamicQuantizeLSTM, MatMulNBits.
class IntegerProducts {
 public:
  /// True when `node` ends such a product, which has then been written as floats with the same output.
  bool visit(const onnx::NodeProto& node, GraphWriter& out);
  /// How many values that DynamicQuantizeLinear rounded are read directly now.
  int activations() const { return static_cast<int>(rounded_.size()); }

 private:
  bool scaled_product(const onnx::NodeProto& node, GraphWriter& out);
  bool fused_product(const onnx::NodeProto& node, GraphWriter& out);
  bool recurrent(const onnx::NodeProto& node, GraphWriter& out);
  bool packed_product(const onnx::NodeProto& node, GraphWriter& out);
  std::string activation(const std::string& integers, const std::string& scale, const std::string& zero_point, int axis,
                         GraphWriter& out);

  std::set<std::string> rounded_;
};

}  // namespace mpq::graph
