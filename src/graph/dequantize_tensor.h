#pragma once

#include <optional>
#include <string>

#include <onnx/onnx_pb.h>

#include "graph/tensor_store.h"

namespace mpq::graph {

/// The integers a tensor of this ONNX type holds: their width and their range. Empty for other types.
struct IntegerType {
  int bits = 0;
  bool is_signed = false;
  double lowest() const;
  double highest() const;
};
std::optional<IntegerType> integer_type(int onnx_data_type);

/// The element of a tensor of one number; 0 where `tensor` is null, which is how an absent zero point counts.
/// Empty for more numbers and for types that are neither integers nor floats of 16 or 32 bits.
std::optional<double> single_number(const onnx::TensorProto* tensor, const TensorStore& store);

/// What DequantizeLinear gives for constant inputs: (x - zero_point) * scale, per tensor, along an axis or in blocks,
/// in the type of `scale` (float32 or float16). `zero_point` may be null. Empty for what it does not cover. Source:
/// ONNX operator specification, DequantizeLinear-21.
struct DequantizedTensor {
  onnx::TensorProto tensor;  ///< without a name and numbers
  std::string bytes;         ///< its numbers, little-endian
};
std::optional<DequantizedTensor> dequantize_tensor(const onnx::NodeProto& node, const onnx::TensorProto& x,
                                                   const onnx::TensorProto& scale, const onnx::TensorProto* zero_point,
                                                   const TensorStore& store);

}  // namespace mpq::graph
