#include "graph/drop_unread.h"

#include <algorithm>
#include <set>
#include <vector>

#include "graph/erase_if.h"
#include "graph/model_impl.h"
#include "graph/scopes.h"
#include "graph/values.h"

namespace mpq::graph {

namespace {

/// What can go, by position in its graph.
struct Unread {
  std::set<int> tensors, nodes;
};

template <typename Repeated>
void erase_at(Repeated& elements, const std::set<int>& positions) {
  int position = 0;
  erase_if(elements, [&](const auto&) { return positions.count(position++) > 0; });
}

/// True when nobody reads what the node gives, and it is no more than arithmetic of its inputs.
bool can_go(const ValueTable& table, int graph, const onnx::NodeProto& node) {
  const bool is_standard = node.domain().empty() || node.domain() == "ai.onnx";
  const bool is_known = is_standard || node.op_type() == "QuantizeLinear";  // ONNX Runtime has one of its own
  if (!is_known || has_body(node) || !deterministic(node)) return false;
  return std::ranges::none_of(node.output(), [&](const std::string& output) {
    const int index = table.find(graph, output);
    if (index < 0) return false;
    const Value& value = table.values()[static_cast<std::size_t>(index)];
    return !value.reads.empty() || value.graph_output;
  });
}

std::vector<Unread> find_unread(const onnx::ModelProto& model, std::unordered_set<std::string>& perhaps) {
  const ValueTable table(model, false);
  std::vector<Unread> found(table.graphs().size());
  for (const Value& value : table.values()) {
    if (!value.reads.empty() || value.graph_output || perhaps.count(value.name) == 0) continue;
    const auto g = static_cast<std::size_t>(value.graph);
    if (value.origin == Value::Origin::kInitializer && !value.listed_as_input) found[g].tensors.insert(value.index);
    if (value.origin != Value::Origin::kNode) continue;
    const onnx::NodeProto& node = table.graphs()[g].graph->node(value.index);
    if (!can_go(table, value.graph, node)) continue;
    for (const std::string& input : node.input()) perhaps.insert(input);
    found[g].nodes.insert(value.index);
  }
  return found;
}

}  // namespace

void drop_unread(onnx::ModelProto& model, std::unordered_set<std::string> perhaps_unread) {
  std::vector<onnx::GraphProto*> graphs;
  for (const NestedGraph& nested : nested_graphs(model)) graphs.push_back(&graph_at(model, nested.path));
  for (bool dropped = true; dropped;) {
    dropped = false;
    const std::vector<Unread> unread = find_unread(model, perhaps_unread);
    for (std::size_t g = 0; g < graphs.size(); ++g) {
      erase_at(*graphs[g]->mutable_initializer(), unread[g].tensors);
      erase_at(*graphs[g]->mutable_node(), unread[g].nodes);
      dropped = dropped || !unread[g].tensors.empty() || !unread[g].nodes.empty();
    }
  }
  for (onnx::GraphProto* graph : graphs) {
    const auto defined = defined_names(*graph);
    erase_if(*graph->mutable_value_info(), [&](const auto& info) { return defined.count(info.name()) == 0; });
  }
}

}  // namespace mpq::graph
