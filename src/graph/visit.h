#pragma once

#include <onnx/onnx_pb.h>

// Walks over everything a model holds, subgraphs, local functions and training graphs included. Depth is bounded by
// the nesting limit of Model::load.

namespace mpq::graph {

/// Where a tensor stands: at least one member is set for a tensor of an attribute, none for an initializer.
struct TensorPlace {
  const onnx::NodeProto* node = nullptr;
  const onnx::AttributeProto* attribute = nullptr;
  bool sparse = false;  ///< the values or indices of a sparse tensor
};

template <typename Visit>
void for_each_tensor(onnx::SparseTensorProto& sparse, TensorPlace place, const Visit& visit) {
  place.sparse = true;
  if (sparse.has_values()) visit(*sparse.mutable_values(), place);
  if (sparse.has_indices()) visit(*sparse.mutable_indices(), place);
}

template <typename Visit>
void for_each_tensor(onnx::GraphProto& graph, const Visit& visit);

template <typename Visit>
void for_each_tensor(onnx::AttributeProto& attribute, const onnx::NodeProto* node, const Visit& visit) {
  const TensorPlace place{node, &attribute, false};
  if (attribute.has_t()) visit(*attribute.mutable_t(), place);
  for (auto& tensor : *attribute.mutable_tensors()) visit(tensor, place);
  if (attribute.has_sparse_tensor()) for_each_tensor(*attribute.mutable_sparse_tensor(), place, visit);
  for (auto& sparse : *attribute.mutable_sparse_tensors()) for_each_tensor(sparse, place, visit);
  if (attribute.has_g()) for_each_tensor(*attribute.mutable_g(), visit);
  for (auto& graph : *attribute.mutable_graphs()) for_each_tensor(graph, visit);
}

template <typename Visit>
void for_each_tensor(google::protobuf::RepeatedPtrField<onnx::NodeProto>& nodes, const Visit& visit) {
  for (auto& node : nodes) {
    for (auto& attribute : *node.mutable_attribute()) for_each_tensor(attribute, &node, visit);
  }
}

template <typename Visit>
void for_each_tensor(onnx::GraphProto& graph, const Visit& visit) {
  for (auto& tensor : *graph.mutable_initializer()) visit(tensor, TensorPlace{});
  for (auto& sparse : *graph.mutable_sparse_initializer()) for_each_tensor(sparse, TensorPlace{}, visit);
  for_each_tensor(*graph.mutable_node(), visit);
}

/// Calls visit(TensorProto&, const TensorPlace&) for every tensor of the model, in the file's order.
template <typename Visit>
void for_each_tensor(onnx::ModelProto& model, const Visit& visit) {
  if (model.has_graph()) for_each_tensor(*model.mutable_graph(), visit);
  for (auto& training : *model.mutable_training_info()) {
    if (training.has_initialization()) for_each_tensor(*training.mutable_initialization(), visit);
    if (training.has_algorithm()) for_each_tensor(*training.mutable_algorithm(), visit);
  }
  for (auto& function : *model.mutable_functions()) {
    for_each_tensor(*function.mutable_node(), visit);
    for (auto& attribute : *function.mutable_attribute_proto()) for_each_tensor(attribute, nullptr, visit);
  }
}

}  // namespace mpq::graph
