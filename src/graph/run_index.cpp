#include "graph/run_index.h"

#include <algorithm>
#include <set>
#include <unordered_set>

#include "graph/scopes.h"
#include "graph/values.h"

namespace mpq::graph {
namespace {

int number_of(RunIndex& index, const std::string& name) {
  const auto [entry, is_new] = index.numbers.try_emplace(name, static_cast<int>(index.values.size()));
  if (is_new) {
    index.values.emplace_back();
    index.values.back().name = name;
  }
  return entry->second;
}

RunIndex::ValueFacts& facts_of(RunIndex& index, const std::string& name) {
  return index.values[static_cast<std::size_t>(number_of(index, name))];
}

int nodes_in(const onnx::GraphProto& graph);

int nodes_in(const onnx::NodeProto& node) {
  int count = 1;
  for (const auto& attribute : node.attribute()) {
    if (attribute.has_g()) count += nodes_in(attribute.g());
    for (const auto& body : attribute.graphs()) count += nodes_in(body);
  }
  return count;
}

int nodes_in(const onnx::GraphProto& graph) {
  int count = 0;
  for (const auto& node : graph.node()) count += nodes_in(node);
  return count;
}

bool is_tensor_type(const onnx::TypeProto& type) {
  return type.value_case() == onnx::TypeProto::kTensorType || type.value_case() == onnx::TypeProto::VALUE_NOT_SET;
}

/// Names that stand for sequences, optionals or maps.
using Names = std::unordered_set<std::string>;

void add_non_tensors(const onnx::GraphProto& graph, Names& names);

/// The outputs of a node with bodies that are no tensors, told from the bodies' own outputs (a Loop's body returns its
/// condition first).
void add_non_tensor_results(const onnx::NodeProto& node, Names& names) {
  const int skipped = node.op_type() == "Loop" ? 1 : 0;
  for (const auto& attribute : node.attribute()) {
    if (!attribute.has_g()) continue;
    Names inside = names;
    add_non_tensors(attribute.g(), inside);
    for (int i = 0; i < node.output_size() && i + skipped < attribute.g().output_size(); ++i) {
      if (inside.count(attribute.g().output(i + skipped).name())) names.insert(node.output(i));
    }
  }
}

void add_non_tensors(const onnx::GraphProto& graph, Names& names) {
  static const Names kMakers = {"SequenceConstruct", "SequenceEmpty",   "SequenceInsert", "SequenceErase",
                                "SequenceMap",       "SplitToSequence", "Optional",       "ZipMap"};
  for (const auto* infos : {&graph.input(), &graph.output(), &graph.value_info()}) {
    for (const auto& info : *infos) {
      if (!is_tensor_type(info.type())) names.insert(info.name());
    }
  }
  for (const auto& node : graph.node()) {
    const bool passes = node.op_type() == "Identity" && node.input_size() > 0 && names.count(node.input(0));
    if (passes || kMakers.count(node.op_type())) names.insert(node.output().begin(), node.output().end());
    add_non_tensor_results(node, names);
  }
}

void add_sources(const onnx::GraphProto& graph, RunIndex& index) {
  for (int i = 0; i < graph.input_size(); ++i) facts_of(index, graph.input(i).name()).input = i;
  for (int i = 0; i < graph.initializer_size(); ++i) {
    auto& value = facts_of(index, graph.initializer(i).name());
    value.initializer = i;
    value.constant = true;
  }
  for (int i = 0; i < graph.sparse_initializer_size(); ++i) {
    auto& value = facts_of(index, graph.sparse_initializer(i).values().name());
    value.sparse = i;
    value.constant = true;
  }
}

/// A node is constant when it is deterministic and reads constants only. The nodes are sorted, so one pass does.
void add_node(const onnx::NodeProto& node, int number, RunIndex& index) {
  RunIndex::NodeFacts facts;
  facts.weight = nodes_in(node);
  facts.constant = deterministic(node) && !has_body(node);
  std::set<int> seen;
  for_each_read(node, [&](const std::string& name) {
    const int value = number_of(index, name);
    if (!seen.insert(value).second) return;
    facts.reads.push_back(value);
    index.values[static_cast<std::size_t>(value)].readers.push_back(number);
    if (!index.value(value).constant) facts.constant = false;
  });
  for (const auto& name : node.output()) {
    if (name.empty()) continue;
    auto& value = facts_of(index, name);
    value.producer = number;
    value.constant = facts.constant;
    facts.writes.push_back(number_of(index, name));
  }
  index.nodes.push_back(std::move(facts));
}

}  // namespace

RunIndex::RunIndex(const onnx::ModelProto& model) {
  const onnx::GraphProto& graph = model.graph();
  add_sources(graph, *this);
  for (int i = 0; i < graph.node_size(); ++i) add_node(graph.node(i), i, *this);
  Names non_tensors;
  add_non_tensors(graph, non_tensors);
  for (auto& facts : values) facts.tensor = !non_tensors.count(facts.name);
}

int RunIndex::find(const std::string& name) const {
  const auto found = numbers.find(name);
  return found == numbers.end() ? -1 : found->second;
}

}  // namespace mpq::graph
