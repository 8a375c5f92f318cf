#include <algorithm>

#include "mpq/error.h"

#include "graph/model_impl.h"
#include "graph/scopes.h"
#include "graph/values.h"
#include "graph/wording.h"

namespace mpq::graph {
namespace {

/// Removes the first element for which `matches` holds; false when there is none.
template <typename Repeated, typename Matches>
bool remove_first(Repeated& elements, Matches matches) {
  const auto found = std::find_if(elements.begin(), elements.end(), matches);
  if (found == elements.end()) return false;
  elements.erase(found);
  return true;
}

bool defines(const onnx::GraphProto& graph, const std::string& name) {
  const auto named = [&](const auto& part) { return part.name() == name; };
  if (std::any_of(graph.input().begin(), graph.input().end(), named)) return true;
  if (std::any_of(graph.initializer().begin(), graph.initializer().end(), named)) return true;
  for (const auto& tensor : graph.sparse_initializer()) {
    if (tensor.values().name() == name) return true;
  }
  return std::any_of(graph.node().begin(), graph.node().end(), [&](const onnx::NodeProto& node) {
    return std::find(node.output().begin(), node.output().end(), name) != node.output().end();
  });
}

/// Renames every read of `from` in the graph and in the bodies that see it, and keeps `from` as the name of an output.
void rename_reads(onnx::GraphProto& graph, const std::string& from, const std::string& to) {
  for (auto& node : *graph.mutable_node()) {
    for (auto& input : *node.mutable_input()) {
      if (input == from) input = to;
    }
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.has_g() && !defines(attribute.g(), from)) rename_reads(*attribute.mutable_g(), from, to);
      for (auto& body : *attribute.mutable_graphs()) {
        if (!defines(body, from)) rename_reads(body, from, to);
      }
    }
  }
  const auto& outputs = graph.output();
  if (std::any_of(outputs.begin(), outputs.end(), [&](const auto& output) { return output.name() == from; })) {
    onnx::NodeProto& alias = *graph.add_node();
    alias.set_op_type("Identity");
    alias.add_input(to);
    alias.add_output(from);
  }
}

}  // namespace

const onnx::GraphProto& graph_at(const onnx::ModelProto& model, const std::string& path) {
  if (path.empty()) return model.graph();
  for (const NestedGraph& nested : nested_graphs(model)) {
    if (nested.path == path) return *nested.graph;
  }
  throw Error(ErrorCode::kInternal, "The model has no graph at the path " + in_quotes(path) + ".");
}

onnx::GraphProto& graph_at(onnx::ModelProto& model, const std::string& path) {
  // The graph belongs to `model`, which is not const here.
  return const_cast<onnx::GraphProto&>(graph_at(static_cast<const onnx::ModelProto&>(model), path));
}

const onnx::TensorProto& tensor_at(const onnx::ModelProto& model, const WeightSite& site) {
  const onnx::GraphProto& graph = graph_at(model, site.graph);
  if (site.storage == WeightSite::Storage::kInitializer) {
    for (const auto& tensor : graph.initializer()) {
      if (tensor.name() == site.tensor) return tensor;
    }
  } else {
    for (const auto& node : graph.node()) {
      const onnx::TensorProto* tensor = constant_tensor(node);
      if (tensor && node.output(0) == site.tensor) return *tensor;
    }
  }
  throw Error(ErrorCode::kInternal, "The model has no constant tensor named " + in_quotes(site.tensor) + ".");
}

onnx::TensorProto& tensor_at(onnx::ModelProto& model, const WeightSite& site) {
  return const_cast<onnx::TensorProto&>(tensor_at(static_cast<const onnx::ModelProto&>(model), site));
}

void hoist_weight(onnx::ModelProto& model, const WeightSite& site, const std::string& replacement) {
  onnx::GraphProto& graph = graph_at(model, site.graph);
  const auto named = [&](const auto& part) { return part.name() == site.tensor; };
  const bool removed = site.storage == WeightSite::Storage::kInitializer
                           ? remove_first(*graph.mutable_initializer(), named)
                           : remove_first(*graph.mutable_node(), [&](const onnx::NodeProto& node) {
                               return constant_tensor(node) && node.output(0) == site.tensor;
                             });
  if (!removed) {
    throw Error(ErrorCode::kInternal,
                "The model has no constant tensor named " + in_quotes(site.tensor) + " to replace.");
  }
  if (site.is_graph_input) remove_first(*graph.mutable_input(), named);
  remove_first(*graph.mutable_value_info(), named);
  if (replacement != site.tensor) rename_reads(graph, site.tensor, replacement);
}

std::string unused_name(const onnx::ModelProto& model, const std::string& stem) {
  return NamePool(all_value_names(model)).take(stem);
}

}  // namespace mpq::graph
