#include "graph/scopes.h"

#include <map>

namespace mpq::graph {
namespace {

template <typename Visit>
void for_each_body(const onnx::NodeProto& node, Visit visit) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.has_g()) visit(attribute.name(), attribute.g());
    for (int i = 0; i < attribute.graphs_size(); ++i) {
      visit(attribute.name() + "_" + std::to_string(i), attribute.graphs(i));
    }
  }
}

/// The operator's name for labels: "Conv", or "Node" in the malformed case of none.
std::string label_stem(const onnx::NodeProto& node) { return node.op_type().empty() ? "Node" : node.op_type(); }

void add_bodies(std::vector<NestedGraph>& found, NamePool& paths, int at) {
  std::map<std::string, int> unnamed;  // operator -> how many came before, named or not
  const onnx::GraphProto& graph = *found[static_cast<std::size_t>(at)].graph;
  const std::string prefix = at == 0 ? "" : found[static_cast<std::size_t>(at)].path + "/";
  for (int i = 0; i < graph.node_size(); ++i) {
    const onnx::NodeProto& node = graph.node(i);
    if (!has_body(node)) continue;
    const int ordinal = unnamed[node.op_type()]++;
    const std::string label = node.name().empty() ? label_stem(node) + "_" + std::to_string(ordinal) : node.name();
    for_each_body(node, [&](const std::string& attribute, const onnx::GraphProto& body) {
      found.push_back({paths.take(prefix + label + "/" + attribute), &body, at, i});
      add_bodies(found, paths, static_cast<int>(found.size()) - 1);
    });
  }
}

void visit_free_names(const onnx::GraphProto& graph, const std::function<void(const std::string&)>& visit) {
  const auto own = defined_names(graph);
  const auto visit_free = [&](const std::string& name) {
    if (!name.empty() && !own.count(name)) visit(name);
  };
  for (const auto& node : graph.node()) for_each_read(node, visit_free);
  for (const auto& output : graph.output()) visit_free(output.name());
}

void add_names(const onnx::GraphProto& graph, std::unordered_set<std::string>& names);

template <typename Nodes>
void add_node_names(const Nodes& nodes, std::unordered_set<std::string>& names) {
  for (const auto& node : nodes) {
    names.insert(node.input().begin(), node.input().end());
    names.insert(node.output().begin(), node.output().end());
    for_each_body(node, [&](const std::string&, const onnx::GraphProto& body) { add_names(body, names); });
  }
}

void add_names(const onnx::GraphProto& graph, std::unordered_set<std::string>& names) {
  for (const auto& input : graph.input()) names.insert(input.name());
  for (const auto& output : graph.output()) names.insert(output.name());
  for (const auto& tensor : graph.initializer()) names.insert(tensor.name());
  for (const auto& tensor : graph.sparse_initializer()) names.insert(tensor.values().name());
  add_node_names(graph.node(), names);
}

}  // namespace

bool has_body(const onnx::NodeProto& node) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.has_g() || attribute.graphs_size() > 0) return true;
  }
  return false;
}

std::vector<NestedGraph> nested_graphs(const onnx::ModelProto& model) {
  std::vector<NestedGraph> found = {{"", &model.graph(), -1, -1}};
  NamePool paths(std::unordered_set<std::string>{""});
  add_bodies(found, paths, 0);
  return found;
}

std::vector<std::string> node_labels(const onnx::GraphProto& graph) {
  std::unordered_set<std::string> given;
  for (const auto& node : graph.node()) {
    if (node.op_type() != "Constant") given.insert(node.name());
  }
  NamePool generated(given), repeated;
  std::map<std::string, int> ordinals;
  std::vector<std::string> labels;
  labels.reserve(static_cast<std::size_t>(graph.node_size()));
  for (const auto& node : graph.node()) {
    const int ordinal = ordinals[node.op_type()]++;
    if (node.op_type() == "Constant") {
      labels.push_back(node.name());
    } else if (node.name().empty()) {
      labels.push_back(repeated.take(generated.take(label_stem(node) + "_" + std::to_string(ordinal))));
    } else {
      labels.push_back(repeated.take(node.name()));
    }
  }
  return labels;
}

NodeOrder::NodeOrder(const std::vector<NestedGraph>& graphs) : numbers_(graphs.size()) {
  std::map<std::pair<int, int>, std::vector<std::size_t>> bodies;  // (graph, owning node) -> its bodies
  for (std::size_t i = 1; i < graphs.size(); ++i) bodies[{graphs[i].parent, graphs[i].owner}].push_back(i);
  std::size_t next = 0;
  const std::function<void(std::size_t)> visit = [&](std::size_t graph) {
    for (int i = 0; i < graphs[graph].graph->node_size(); ++i) {
      numbers_[graph].push_back(next++);
      const auto owned = bodies.find({static_cast<int>(graph), i});
      if (owned == bodies.end()) continue;
      for (const std::size_t body : owned->second) visit(body);
    }
  };
  visit(0);
}

void for_each_read(const onnx::NodeProto& node, const std::function<void(const std::string&)>& visit) {
  for (const auto& name : node.input()) {
    if (!name.empty()) visit(name);
  }
  for_each_body(node, [&](const std::string&, const onnx::GraphProto& body) { visit_free_names(body, visit); });
}

std::unordered_set<std::string> defined_names(const onnx::GraphProto& graph) {
  std::unordered_set<std::string> names;
  for (const auto& input : graph.input()) names.insert(input.name());
  for (const auto& tensor : graph.initializer()) names.insert(tensor.name());
  for (const auto& tensor : graph.sparse_initializer()) names.insert(tensor.values().name());
  for (const auto& node : graph.node()) names.insert(node.output().begin(), node.output().end());
  return names;
}

std::unordered_set<std::string> all_value_names(const onnx::ModelProto& model) {
  std::unordered_set<std::string> names;
  add_names(model.graph(), names);
  for (const auto& function : model.functions()) {
    names.insert(function.input().begin(), function.input().end());
    names.insert(function.output().begin(), function.output().end());
    add_node_names(function.node(), names);
  }
  return names;
}

std::string NamePool::take(const std::string& stem) {
  if (taken_.insert(stem).second) return stem;
  for (int& i = next_.try_emplace(stem, 2).first->second;; ++i) {
    std::string name = stem + "_" + std::to_string(i);
    if (taken_.insert(name).second) return name;
  }
}

}  // namespace mpq::graph
