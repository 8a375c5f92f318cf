#include <algorithm>
#include <unordered_set>
#include <utility>

#include "graph/cut.h"
#include "graph/erase_if.h"
#include "graph/run_index.h"
#include "graph/scopes.h"
#include "graph/values.h"

namespace mpq::graph {
namespace {

/// Before: a body holds w and reads it.   After: the main graph holds w under a free name, and the body captures it.
void hoist_from_body(onnx::ModelProto& model, const WeightSite& site, const std::string& name) {
  onnx::TensorProto tensor = tensor_at(std::as_const(model), site);
  tensor.set_name(name);
  hoist_weight(model, site, name);
  *model.mutable_graph()->add_initializer() = std::move(tensor);
}

/// Bodies of a graph, sorted as the graph itself.
void sort_all(onnx::GraphProto& graph) {
  for (auto& node : *graph.mutable_node()) {
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.has_g()) sort_all(*attribute.mutable_g());
    }
  }
  sort_nodes(graph);
}

}  // namespace

void drop_inputs_with_initializers(onnx::GraphProto& graph) {
  std::unordered_set<std::string> constants;
  for (const auto& tensor : graph.initializer()) constants.insert(tensor.name());
  for (const auto& tensor : graph.sparse_initializer()) constants.insert(tensor.values().name());
  erase_if(*graph.mutable_input(), [&](const auto& input) { return constants.count(input.name()) > 0; });
}

void lift_constants(onnx::GraphProto& graph) {
  std::unordered_set<std::string> outputs;
  for (const auto& output : graph.output()) outputs.insert(output.name());
  const auto liftable = [&](const onnx::NodeProto& node) {
    return constant_tensor(node) && !outputs.count(node.output(0));
  };
  for (auto& node : *graph.mutable_node()) {
    if (!liftable(node)) continue;
    onnx::TensorProto& tensor = *graph.add_initializer();
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.name() == "value") tensor = attribute.t();
    }
    tensor.set_name(node.output(0));
  }
  erase_if(*graph.mutable_node(), liftable);
}

RunForm run_form(const Model& model) {
  const Model::Impl& impl = model.impl();
  RunForm form;
  form.model = impl.proto;
  form.store = impl.store;
  form.model.set_ir_version(std::max(form.model.ir_version(), kFirstIrWithConstantInitializers));
  onnx::GraphProto& graph = *form.model.mutable_graph();
  drop_inputs_with_initializers(graph);
  NamePool names(all_value_names(form.model));
  for (std::size_t i = 0; i < impl.layers.size(); ++i) {
    const WeightSite& site = impl.sites[i];
    const bool in_body = !site.graph.empty();
    form.weight_names.push_back(!impl.layers[i].quantizable() ? "" : in_body ? names.take(site.tensor) : site.tensor);
    if (in_body && impl.layers[i].quantizable()) hoist_from_body(form.model, site, form.weight_names.back());
  }
  lift_constants(graph);
  sort_all(graph);
  form.index = std::make_shared<RunIndex>(form.model);
  return form;
}

}  // namespace mpq::graph
