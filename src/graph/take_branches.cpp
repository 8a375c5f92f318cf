#include "graph/take_branches.h"

#include <algorithm>

#include "graph/rename.h"
#include "graph/run_index.h"
#include "graph/scopes.h"
#include "graph/topology.h"

namespace mpq::graph {

namespace {

bool is_if(const onnx::NodeProto& node) {
  return node.op_type() == "If" && (node.domain().empty() || node.domain() == "ai.onnx") && node.input_size() == 1;
}

const onnx::GraphProto* branch_of(const onnx::NodeProto& node, bool taken) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.has_g() && attribute.name() == (taken ? "then_branch" : "else_branch")) return &attribute.g();
  }
  return nullptr;
}

/// Adds what `branch` holds to the main graph.
void take(onnx::GraphProto branch, const onnx::NodeProto& node, NamePool& pool, onnx::GraphProto& graph) {
  Names names;
  std::vector<std::string> own;
  for (const std::string& name : defined_names(branch)) {
    if (!name.empty()) own.push_back(name);
  }
  std::sort(own.begin(), own.end());  // the set's order is nobody's
  for (const std::string& name : own) names.emplace(name, pool.take(name));
  for (auto& tensor : *branch.mutable_initializer()) {
    rename(names, *tensor.mutable_name());
    *graph.add_initializer() = std::move(tensor);
  }
  for (auto& tensor : *branch.mutable_sparse_initializer()) {
    rename(names, *tensor.mutable_values()->mutable_name());
    *graph.add_sparse_initializer() = std::move(tensor);
  }
  for (auto& inner : *branch.mutable_node()) {
    rename(names, inner, true);
    *graph.add_node() = std::move(inner);
  }
  for (int i = 0; i < std::min(node.output_size(), branch.output_size()); ++i) {
    if (node.output(i).empty()) continue;
    onnx::NodeProto& identity = *graph.add_node();
    identity.set_op_type("Identity");
    std::string result = branch.output(i).name();
    rename(names, result);
    identity.add_input(result);
    identity.add_output(node.output(i));
  }
}

}  // namespace

std::vector<std::string> branch_conditions(const RunForm& form) {
  std::vector<std::string> conditions;
  for (const auto& node : form.model.graph().node()) {
    if (!is_if(node)) continue;
    if (std::find(conditions.begin(), conditions.end(), node.input(0)) == conditions.end()) {
      conditions.push_back(node.input(0));
    }
  }
  return conditions;
}

RunForm with_branches_taken(const RunForm& form, const std::map<std::string, bool>& conditions) {
  RunForm result = form;
  onnx::GraphProto& graph = *result.model.mutable_graph();
  NamePool pool(all_value_names(result.model));
  const auto nodes = graph.node();
  graph.clear_node();
  for (const onnx::NodeProto& node : nodes) {
    const auto condition = is_if(node) ? conditions.find(node.input(0)) : conditions.end();
    const onnx::GraphProto* branch = condition == conditions.end() ? nullptr : branch_of(node, condition->second);
    if (branch == nullptr) {
      *graph.add_node() = node;
    } else {
      take(*branch, node, pool, graph);
    }
  }
  sort_nodes(*graph.mutable_node());
  result.index = std::make_shared<RunIndex>(result.model);
  return result;
}

}  // namespace mpq::graph
