#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <onnx/onnx_pb.h>

#include "graph/operator_checks.h"
#include "graph/topology.h"

namespace mpq::graph {

/// Irregularities that runtimes let pass; names in the file's order.
struct GraphNotes {
  std::vector<std::string> repeated_initializers;
  std::vector<std::string> unnamed_initializers;  ///< one entry each, the graph's title
  std::vector<std::string> shadowed_values;
  std::vector<std::string> repeated_outputs;
  std::vector<std::string> unsorted_graphs;  ///< titles
};

/// The names a graph defines, and the graphs around it.
struct Scope {
  const Scope* outer = nullptr;
  std::unordered_set<std::string_view> names;
  bool has(std::string_view name) const { return names.contains(name) || (outer != nullptr && outer->has(name)); }
};

/// Checks the values and nodes of every graph and function of a model: single assignment, nothing read that nobody
/// writes, no cycles, operators used as defined. Repairs what has one meaning only: of initializers of one name it
/// keeps the first (the one ONNX Runtime takes), and nodes are sorted.
class GraphChecks {
 public:
  GraphChecks(OperatorChecks& operators, GraphNotes& notes, std::string where)
      : operators_(operators), notes_(notes), where_(std::move(where)) {}

  void check(onnx::GraphProto& graph, const Imports& imports);
  void check(onnx::FunctionProto& function, const Imports& model_imports);

 private:
  void check_graph(onnx::GraphProto& graph, const Imports& imports, const Scope* outer, const std::string& title);
  void define_inputs(const onnx::GraphProto& graph, Scope& scope, const std::string& title);
  void define_initializers(onnx::GraphProto& graph, Scope& scope, const std::string& title);
  void define_outputs(const Nodes& nodes, Scope& scope, const std::string& title);
  void check_nodes(Nodes& nodes, const Imports& imports, const Scope& scope, const std::string& title);
  void check_subgraphs(onnx::NodeProto& node, const Imports& imports, const Scope& scope);
  void check_graph_outputs(const onnx::GraphProto& graph, const Scope& scope, const std::string& title);
  void check_text(std::string_view name, const std::string& kind, const std::string& title) const;

  OperatorChecks& operators_;
  GraphNotes& notes_;
  std::string where_;
};

}  // namespace mpq::graph
