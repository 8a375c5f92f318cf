#include "graph/values.h"

#include <algorithm>
#include <set>
#include <unordered_set>

namespace mpq::graph {

const onnx::TensorProto* constant_tensor(const onnx::NodeProto& node) {
  if (node.op_type() != "Constant" || node.output_size() != 1) return nullptr;
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == "value" && attribute.has_t()) return &attribute.t();
  }
  return nullptr;
}

bool listed_initializers_are_constants(const onnx::ModelProto& model) {
  if (model.ir_version() < 4) return true;
  std::unordered_set<std::string> inputs;
  for (const auto& input : model.graph().input()) inputs.insert(input.name());
  const auto& tensors = model.graph().initializer();
  return std::all_of(tensors.begin(), tensors.end(),
                     [&](const onnx::TensorProto& t) { return inputs.count(t.name()) > 0; });
}

bool deterministic(const onnx::NodeProto& node) {
  static const std::set<std::string> kRandom = {
      "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli", "Dropout"};
  // Dropout is random in training mode only, which is an input since opset 12.
  return !kRandom.count(node.op_type()) || (node.op_type() == "Dropout" && node.input_size() < 3);
}

ValueTable::ValueTable(const onnx::ModelProto& model, bool inputs_are_constant) : graphs_(nested_graphs(model)) {
  names_.resize(graphs_.size());
  constant_.resize(graphs_.size());
  for (std::size_t i = 0; i < graphs_.size(); ++i) add_definitions(static_cast<int>(i), inputs_are_constant);
  for (std::size_t i = 0; i < graphs_.size(); ++i) add_reads(static_cast<int>(i));
  spread_constness();
}

int ValueTable::find(int graph, const std::string& name) const {
  for (; graph >= 0; graph = graphs_[at(graph)].parent) {
    const auto found = names_[at(graph)].find(name);
    if (found != names_[at(graph)].end()) return found->second;
  }
  return -1;
}

const onnx::TensorProto* ValueTable::tensor(const Value& value) const {
  const onnx::GraphProto& graph = *graphs_[at(value.graph)].graph;
  if (value.origin == Value::Origin::kInitializer) return &graph.initializer(value.index);
  if (value.origin == Value::Origin::kNode) return constant_tensor(graph.node(value.index));
  return nullptr;
}

const onnx::TensorProto* ValueTable::tensor(int graph, const std::string& name) const {
  const int value = find(graph, name);
  return value < 0 || values_[at(value)].listed_as_input ? nullptr : tensor(values_[at(value)]);
}

const onnx::NodeProto* ValueTable::producer(int graph, const std::string& name) const {
  const int index = find(graph, name);
  if (index < 0 || values_[at(index)].origin != Value::Origin::kNode) return nullptr;
  const Value& value = values_[at(index)];
  return &graphs_[at(value.graph)].graph->node(value.index);
}

int ValueTable::define(int graph, const std::string& name, Value::Origin origin, int index, bool constant) {
  if (name.empty()) return -1;
  const auto [entry, is_new] = names_[at(graph)].try_emplace(name, static_cast<int>(values_.size()));
  if (is_new) {
    Value value;
    value.name = name;
    value.graph = graph;
    values_.push_back(value);
  }
  Value& value = values_[at(entry->second)];
  value.origin = origin;
  value.index = index;
  value.constant = constant;
  return entry->second;
}

void ValueTable::add_definitions(int index, bool inputs_are_constant) {
  const onnx::GraphProto& graph = *graphs_[at(index)].graph;
  for (int i = 0; i < graph.input_size(); ++i) {
    define(index, graph.input(i).name(), Value::Origin::kInput, i, false);
  }
  const auto inputs = names_[at(index)];
  for (int i = 0; i < graph.initializer_size(); ++i) {
    const std::string& name = graph.initializer(i).name();
    const bool listed = inputs.count(name) > 0;
    const int value = define(index, name, Value::Origin::kInitializer, i, !listed || inputs_are_constant);
    if (value >= 0) values_[at(value)].listed_as_input = listed;
  }
  for (int i = 0; i < graph.sparse_initializer_size(); ++i) {
    define(index, graph.sparse_initializer(i).values().name(), Value::Origin::kSparseInitializer, i, true);
  }
  for (int i = 0; i < graph.node_size(); ++i) {
    for (const auto& name : graph.node(i).output()) define(index, name, Value::Origin::kNode, i, false);
  }
}

void ValueTable::add_reads(int index) {
  const onnx::GraphProto& graph = *graphs_[at(index)].graph;
  for (int i = 0; i < graph.node_size(); ++i) {
    for (int input = 0; input < graph.node(i).input_size(); ++input) {
      const int value = find(index, graph.node(i).input(input));
      if (value >= 0) values_[at(value)].reads.push_back({index, i, input});
    }
  }
  for (const auto& output : graph.output()) {
    const int value = find(index, output.name());
    if (value >= 0) values_[at(value)].graph_output = true;
  }
}

void ValueTable::spread_constness() {
  // Counts down the inputs of each node that are not known to be constant; a node at zero makes its outputs constant.
  // Nodes with bodies are left out: what their bodies read would have to be counted too, and nothing is gained.
  std::vector<std::vector<int>> open(graphs_.size());
  std::vector<int> ready;  // constant values whose readers have not been told
  const auto settle = [&](int graph, int i) {
    constant_[at(graph)][at(i)] = 1;
    for (const auto& name : graphs_[at(graph)].graph->node(i).output()) {
      const auto found = names_[at(graph)].find(name);
      if (found == names_[at(graph)].end() || values_[at(found->second)].constant) continue;
      values_[at(found->second)].constant = true;
      ready.push_back(found->second);
    }
  };
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (values_[i].constant) ready.push_back(static_cast<int>(i));
  }
  for (std::size_t g = 0; g < graphs_.size(); ++g) {
    const onnx::GraphProto& graph = *graphs_[g].graph;
    constant_[g].assign(at(graph.node_size()), 0);
    open[g].assign(at(graph.node_size()), 0);
    for (int i = 0; i < graph.node_size(); ++i) {
      const onnx::NodeProto& node = graph.node(i);
      for (const auto& name : node.input()) open[g][at(i)] += name.empty() ? 0 : 1;
      if (!deterministic(node) || has_body(node)) open[g][at(i)] = -1;
      if (open[g][at(i)] == 0) settle(static_cast<int>(g), i);
    }
  }
  while (!ready.empty()) {
    const int value = ready.back();
    ready.pop_back();
    for (const Read& read : values_[at(value)].reads) {
      int& left = open[at(read.graph)][at(read.node)];
      if (left > 0 && --left == 0) settle(read.graph, read.node);
    }
  }
}

}  // namespace mpq::graph
