#pragma once

#include <memory>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include "mpq/model.h"

#include "graph/tensor_store.h"

namespace mpq {

/// Where a layer's weight is stored in the file.
struct WeightSite {
  enum class Storage { kInitializer, kConstantNode };
  Storage storage = Storage::kInitializer;
  std::string tensor;           ///< initializer or Constant output name, within its graph
  std::string graph;            ///< "" main graph, else subgraph path as in Layer::graph
  bool is_graph_input = false;  ///< IR-3 style: the initializer is listed among the inputs too
};

struct Model::Impl {
  /// Skeleton form: large tensors live in `store`. Otherwise the file's content, except that nodes are sorted and that
  /// of initializers and imports listed repeatedly the one runtimes use is kept (each said in `findings`).
  onnx::ModelProto proto;
  std::shared_ptr<const graph::TensorStore> store;
  ModelFacts facts;
  std::string producer;
  std::int64_t opset = 0;
  std::vector<ValueInfo> inputs, outputs;
  std::vector<Layer> layers;
  std::vector<WeightSite> sites;  ///< parallel to `layers`
  std::vector<Finding> findings;
  std::vector<std::string> quantized_parts;
  bool had_external_data = false;
};

namespace graph {

/// Validates and finishes an Impl whose `proto` and `store` are set (fills every other member but `facts`).
/// Throws as Model::load.
void complete(Model::Impl& impl, const std::string& where);

/// The subgraph named by a Layer::graph path; the main graph for "". Throws Error{kInternal} when there is none.
onnx::GraphProto& graph_at(onnx::ModelProto& model, const std::string& path);
const onnx::GraphProto& graph_at(const onnx::ModelProto& model, const std::string& path);
/// The TensorProto behind a site.
onnx::TensorProto& tensor_at(onnx::ModelProto& model, const WeightSite& site);
const onnx::TensorProto& tensor_at(const onnx::ModelProto& model, const WeightSite& site);

/// Removes the weight from its place and makes every node that read it read `replacement`, a value of the main graph
/// (subgraphs capture it from the outer scope). `replacement` must be unused in every scope.
/// An IR-3 style graph input of the weight's name is removed too.
void hoist_weight(onnx::ModelProto& model, const WeightSite& site, const std::string& replacement);
/// A value name used nowhere in the model (subgraphs and functions included), beginning with `stem`.
std::string unused_name(const onnx::ModelProto& model, const std::string& stem);

/// Nodes sorted topologically (stable); needed because runtimes accept unsorted graphs. False when there is a cycle.
bool sort_nodes(onnx::GraphProto& graph);

DType dtype_of(int onnx_data_type);  ///< Throws Error{kUnsupported} for types mpq::Tensor does not have.
int onnx_dtype(DType type);

/// The model file's bytes for a skeleton: inline (at most 2 GiB) when `external_name` is empty, else
/// tensors of at least kStoreThresholdBytes are laid out in the external file, aligned to 64 bytes. Deterministic.
struct Serialized {
  std::int64_t model_bytes = 0;
  std::int64_t external_bytes = 0;
};
Serialized serialized_size(const onnx::ModelProto& skeleton, const TensorStore& store,
                           const std::string& external_name);
/// Writes it atomically; returns the sizes written. Throws Error{kOutput}.
Serialized write_model(const onnx::ModelProto& skeleton, const TensorStore& store, const std::string& path,
                       const std::string& external_name, bool force);

}  // namespace graph
}  // namespace mpq
