#pragma once

#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include "graph/tensor_store.h"

namespace mpq::graph {

/// A convolution that took in what stood behind it.
struct ChannelFold {
  std::string weight;
  std::vector<float> factors;  ///< per output channel: of the weights
  std::string bias;            ///< a new initializer of the main graph, one number per output channel
};

/// Before: Conv(w, b) -> BatchNormalization, or Mul, Div, Add, Sub with a constant per channel -> ... -> y
/// After:  Conv(factor * w, b') -> y
/// In the main graph, where weight, bias and constants are float32 and read by nobody else. Changed tensors are added
/// to the store.
std::vector<ChannelFold> fold_channels(onnx::ModelProto& model, TensorStore& store);

}  // namespace mpq::graph
