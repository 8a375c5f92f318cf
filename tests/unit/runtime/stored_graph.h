#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <onnx/defs/parser.h>
#include <onnx/onnx_pb.h>

#include "mpq/tensor.h"

#include "graph/tensor_store.h"
#include "support/random.h"

namespace mpq::runtime {

/// A graph in ONNX text form, whose larger tensors are put into a store as the loader does.
struct StoredGraph {
  onnx::ModelProto model;
  graph::TensorStore store;

  explicit StoredGraph(const std::string& text) {
    const auto status = onnx::OnnxParser::Parse(model, text.c_str());
    if (!status.IsOK()) throw std::runtime_error(status.ErrorMessage());
  }

  /// Moves bytes into the store and returns a tensor that refers to them.
  onnx::TensorProto stored(const std::string& name, int data_type, const std::vector<std::int64_t>& dims,
                           const std::string& bytes) {
    onnx::TensorProto tensor;
    tensor.set_name(name);
    tensor.set_data_type(data_type);
    for (const std::int64_t dim : dims) tensor.add_dims(dim);
    const auto owner = std::make_shared<std::string>(bytes);
    graph::point_to_store(tensor, store.add(std::as_bytes(std::span(*owner)), owner), bytes.size());
    return tensor;
  }
  onnx::TensorProto stored(const std::string& name, const Tensor& floats) {
    return stored(name, onnx::TensorProto::FLOAT, floats.shape(),
                  {reinterpret_cast<const char*>(floats.data()), floats.size_bytes()});
  }

  StoredGraph& weight(const std::string& name, const Tensor& floats) {
    *model.mutable_graph()->add_initializer() = stored(name, floats);
    return *this;
  }
  /// Makes the value a graph input instead.
  StoredGraph& weight_input(const std::string& name, const Tensor& like) {
    onnx::ValueInfoProto& input = *model.mutable_graph()->add_input();
    input.set_name(name);
    auto& type = *input.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t extent : like.shape()) type.mutable_shape()->add_dim()->set_dim_value(extent);
    return *this;
  }
};

/// Normal numbers of deviation `scale`, the same for the same stream.
inline Tensor normal(std::vector<std::int64_t> shape, std::uint64_t stream, float scale = 1) {
  Tensor tensor(DType::kFloat32, std::move(shape));
  fill_gaussian(Philox(7, stream), tensor.as_mutable<float>());
  for (float& value : tensor.as_mutable<float>()) value *= scale;
  return tensor;
}

/// A tensor with bytes of its own, to be changed in place.
inline Tensor own_copy(const Tensor& tensor) {
  Tensor copy(tensor.type(), tensor.shape());
  std::memcpy(copy.mutable_data(), tensor.data(), tensor.size_bytes());
  return copy;
}

}  // namespace mpq::runtime
