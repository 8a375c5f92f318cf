#include "runtime/loadable.h"

#include <limits>
#include <set>

#include "mpq/error.h"

#include "runtime/environment.h"
#include "runtime/values.h"

// How the store's tensors reach the runtime. Two calls replace external tensors before any optimizer sees the graph
// (so that, unlike with AddInitializer, a Conv at the highest level really computes with them):
//   AddExternalInitializersFromFilesInMemory: keyed by the tensor's location; makes one copy more.
//   AddExternalInitializers:                  keyed by the tensor's name; a 64 MiB model loads in 50 instead of 100 ms.
// We take the second. Measured with ONNX Runtime 1.32.0: both reach initializers and Constant nodes of the main graph
// only, so tensors in subgraphs and functions go back into the protobuf; and the second refuses a name the runtime
// has already dropped because nothing reads it, so such tensors are left out of the model.

namespace mpq::runtime {
namespace {

using Names = std::set<std::string>;

/// Values that `graph` reads from outside.
Names free_names(const onnx::GraphProto& graph);

void add_reads(const onnx::NodeProto& node, Names& reads) {
  for (const std::string& name : node.input()) reads.insert(name);
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.has_g()) reads.merge(free_names(attribute.g()));
    for (const onnx::GraphProto& graph : attribute.graphs()) reads.merge(free_names(graph));
  }
}

Names all_reads(const onnx::GraphProto& graph) {
  Names reads;
  for (const onnx::NodeProto& node : graph.node()) add_reads(node, reads);
  for (const onnx::ValueInfoProto& output : graph.output()) reads.insert(output.name());
  return reads;
}

Names free_names(const onnx::GraphProto& graph) {
  Names reads = all_reads(graph);
  for (const onnx::NodeProto& node : graph.node()) {
    for (const std::string& name : node.output()) reads.erase(name);
  }
  for (const onnx::ValueInfoProto& input : graph.input()) reads.erase(input.name());
  for (const onnx::TensorProto& tensor : graph.initializer()) reads.erase(tensor.name());
  return reads;
}

void put_inside(onnx::TensorProto& tensor, const graph::TensorStore& store) {
  const auto bytes = store.bytes(graph::store_index(tensor));
  tensor.clear_data_location();
  tensor.clear_external_data();
  tensor.set_raw_data(bytes.data(), bytes.size());
}

void put_inside(onnx::SparseTensorProto& sparse, const graph::TensorStore& store) {
  if (graph::in_store(sparse.values())) put_inside(*sparse.mutable_values(), store);
  if (graph::in_store(sparse.indices())) put_inside(*sparse.mutable_indices(), store);
}

void put_all_inside(onnx::GraphProto& graph, const graph::TensorStore& store);

void put_all_inside(onnx::NodeProto& node, const graph::TensorStore& store) {
  for (onnx::AttributeProto& attribute : *node.mutable_attribute()) {
    if (attribute.has_t() && graph::in_store(attribute.t())) put_inside(*attribute.mutable_t(), store);
    if (attribute.has_sparse_tensor()) put_inside(*attribute.mutable_sparse_tensor(), store);
    for (onnx::TensorProto& tensor : *attribute.mutable_tensors()) {
      if (graph::in_store(tensor)) put_inside(tensor, store);
    }
    if (attribute.has_g()) put_all_inside(*attribute.mutable_g(), store);
    for (onnx::GraphProto& graph : *attribute.mutable_graphs()) put_all_inside(graph, store);
  }
}

void put_all_inside(onnx::GraphProto& graph, const graph::TensorStore& store) {
  for (onnx::TensorProto& tensor : *graph.mutable_initializer()) {
    if (graph::in_store(tensor)) put_inside(tensor, store);
  }
  for (onnx::SparseTensorProto& tensor : *graph.mutable_sparse_initializer()) put_inside(tensor, store);
  for (onnx::NodeProto& node : *graph.mutable_node()) put_all_inside(node, store);
}

/// Main-graph tensor number one: hands it over, or puts it back when the runtime has no such element type.
void hand_over(onnx::TensorProto& tensor, const std::string& name, const graph::TensorStore& store, Loadable& out) {
  const ONNXTensorElementDataType element = element_of_onnx(tensor.data_type());
  if (element == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED) return put_inside(tensor, store);
  const auto bytes = store.bytes(graph::store_index(tensor));
  out.names.push_back(name);
  out.values.push_back(Ort::Value::CreateTensor(our_memory(), const_cast<std::byte*>(bytes.data()), bytes.size(),
                                                tensor.dims().data(), static_cast<std::size_t>(tensor.dims_size()),
                                                element));
}

void hand_over_initializers(onnx::GraphProto& graph, const graph::TensorStore& store, const Names& reads,
                            Loadable& out) {
  Names inputs;
  for (const onnx::ValueInfoProto& input : graph.input()) inputs.insert(input.name());
  auto* tensors = graph.mutable_initializer();
  int kept = 0;
  for (int i = 0; i < tensors->size(); ++i) {
    onnx::TensorProto& tensor = *tensors->Mutable(i);
    if (graph::in_store(tensor)) {
      const bool read = reads.count(tensor.name()) > 0;
      // Dropping the default of an unread input would turn it into one that must be fed.
      if (!read && inputs.count(tensor.name()) == 0) continue;
      if (read) {
        hand_over(tensor, tensor.name(), store, out);
      } else {
        put_inside(tensor, store);
      }
    }
    if (kept != i) tensors->SwapElements(kept, i);
    ++kept;
  }
  tensors->DeleteSubrange(kept, tensors->size() - kept);
}

bool is_stored_constant(const onnx::NodeProto& node) {
  return node.op_type() == "Constant" && node.domain().empty() && node.attribute_size() == 1 &&
         node.attribute(0).has_t() && graph::in_store(node.attribute(0).t()) && node.output_size() == 1;
}

void hand_over_nodes(onnx::GraphProto& graph, const graph::TensorStore& store, const Names& reads, Loadable& out) {
  auto* nodes = graph.mutable_node();
  int kept = 0;
  for (int i = 0; i < nodes->size(); ++i) {
    onnx::NodeProto& node = *nodes->Mutable(i);
    if (!is_stored_constant(node)) {
      put_all_inside(node, store);
    } else if (reads.count(node.output(0)) > 0) {
      hand_over(*node.mutable_attribute(0)->mutable_t(), node.output(0), store, out);
    } else {
      continue;
    }
    if (kept != i) nodes->SwapElements(kept, i);
    ++kept;
  }
  nodes->DeleteSubrange(kept, nodes->size() - kept);
}

}  // namespace

Loadable make_loadable(const onnx::ModelProto& skeleton, const graph::TensorStore& store) {
  Loadable out;
  onnx::ModelProto model = skeleton;
  onnx::GraphProto& graph = *model.mutable_graph();
  const Names reads = all_reads(graph);
  hand_over_initializers(graph, store, reads, out);
  hand_over_nodes(graph, store, reads, out);
  for (onnx::SparseTensorProto& tensor : *graph.mutable_sparse_initializer()) put_inside(tensor, store);
  for (onnx::FunctionProto& function : *model.mutable_functions()) {
    for (onnx::NodeProto& node : *function.mutable_node()) put_all_inside(node, store);
  }
  if (model.ByteSizeLong() > std::numeric_limits<std::int32_t>::max() || !model.SerializeToString(&out.bytes)) {
    throw Error(
        ErrorCode::kUnsupported,
        "The model cannot be handed to ONNX Runtime: its subgraphs and functions hold more than 2 GiB of tensors.");
  }
  return out;
}

}  // namespace mpq::runtime
