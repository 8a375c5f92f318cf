#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

// Which inputs of which operators are weights, and how their axes relate to the operator's outputs.

namespace mpq::graph {

/// The axes of a weight as the operator sees it.
struct WeightRole {
  std::vector<int> channel_axes;  ///< every index along them has its own scale
  int block_axis = -1;            ///< the axis the operator sums over, where it is one axis
};

/// True when input `input` of the node is a weight: a kernel, matrix or table the operator multiplies with or looks up
/// in.
bool takes_weight(const onnx::NodeProto& node, int input);

/// The role of a weight of the given shape (unknown extents -1) at an input for which takes_weight() holds.
WeightRole weight_role(const onnx::NodeProto& node, int input, const std::vector<std::int64_t>& shape);

/// "LSTM" inputs 1 and 2 are "W" and "R"; other inputs are "input1", ...: tells apart two weights of one node.
std::string weight_input_name(const onnx::NodeProto& node, int input);

/// True for operators that compute with quantized numbers or convert from or to them: QuantizeLinear, QLinearConv,
/// MatMulInteger, MatMulNBits, ...
bool is_quantized_operator(const onnx::NodeProto& node);

/// Attribute lookup with a default.
std::int64_t int_attribute(const onnx::NodeProto& node, const std::string& name, std::int64_t otherwise);
float float_attribute(const onnx::NodeProto& node, const std::string& name, float otherwise);
std::string string_attribute(const onnx::NodeProto& node, const std::string& name);
/// Empty when the attribute is absent.
std::vector<std::int64_t> ints_attribute(const onnx::NodeProto& node, const std::string& name);

}  // namespace mpq::graph
