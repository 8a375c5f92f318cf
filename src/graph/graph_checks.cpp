#include "graph/graph_checks.h"

#include <utility>

#include "graph/wording.h"

namespace mpq::graph {

namespace {

using onnx::GraphProto;
using onnx::NodeProto;

/// Keeps the first initializer of every name; unnamed ones stay, nobody can mean them.
std::vector<std::string> drop_repeated(google::protobuf::RepeatedPtrField<onnx::TensorProto>& tensors) {
  std::vector<std::string> dropped;
  std::unordered_set<std::string> seen;
  int kept = 0;
  for (int i = 0; i < tensors.size(); ++i) {
    const std::string& name = tensors[i].name();
    if (!name.empty() && !seen.insert(name).second) {
      dropped.push_back(name);
      continue;
    }
    if (kept != i) tensors.SwapElements(kept, i);
    ++kept;
  }
  tensors.DeleteSubrange(kept, tensors.size() - kept);
  return dropped;
}

std::string capital(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

}  // namespace

void GraphChecks::check(GraphProto& graph, const Imports& imports) {
  check_graph(graph, imports, nullptr, "the graph");
}

void GraphChecks::check(onnx::FunctionProto& function, const Imports& model_imports) {
  const std::string title = "the local function " + in_quotes(function.name());
  check_text(function.name(), "a local function", title);
  Imports imports = model_imports;
  for (const auto& import : function.opset_import()) {
    imports[is_default_domain(import.domain()) ? "" : import.domain()] = import.version();
  }
  Scope scope;
  for (const std::string& input : function.input()) {
    if (!scope.names.insert(input).second)
      invalid(capital(title) + " lists the input " + in_quotes(input) + " twice.", where_);
  }
  define_outputs(function.node(), scope, title);
  check_nodes(*function.mutable_node(), imports, scope, title);
  for (const std::string& output : function.output()) {
    if (!scope.names.contains(output)) {
      invalid(capital(title) + " promises the output " + in_quotes(output) + ", which none of its nodes writes.",
              where_);
    }
  }
}

void GraphChecks::check_graph(GraphProto& graph, const Imports& imports, const Scope* outer, const std::string& title) {
  Scope scope;
  scope.outer = outer;
  define_inputs(graph, scope, title);
  define_initializers(graph, scope, title);
  define_outputs(graph.node(), scope, title);
  check_nodes(*graph.mutable_node(), imports, scope, title);
  check_graph_outputs(graph, scope, title);
}

void GraphChecks::define_inputs(const GraphProto& graph, Scope& scope, const std::string& title) {
  for (const auto& input : graph.input()) {
    const std::string& name = input.name();
    if (name.empty()) invalid("An input of " + title + " has no name.", where_);
    check_text(name, "an input", title);
    if (!scope.names.insert(name).second)
      invalid(capital(title) + " lists the input " + in_quotes(name) + " twice.", where_);
  }
}

void GraphChecks::define_initializers(GraphProto& graph, Scope& scope, const std::string& title) {
  for (std::string& name : drop_repeated(*graph.mutable_initializer())) {
    notes_.repeated_initializers.push_back(std::move(name));
  }
  for (const auto& tensor : graph.initializer()) {
    check_text(tensor.name(), "an initializer", title);
    if (tensor.name().empty()) {
      notes_.unnamed_initializers.push_back(title);
    } else {
      scope.names.insert(tensor.name());  // may be an input too: a weight that callers can replace
    }
  }
  for (const auto& sparse : graph.sparse_initializer()) {
    const std::string& name = sparse.values().name();
    check_text(name, "a sparse initializer", title);
    if (name.empty()) invalid("A sparse initializer of " + title + " has no name.", where_);
    if (!scope.names.insert(name).second) {
      invalid("The sparse initializer " + in_quotes(name) + " of " + title + " has the name of another value.", where_);
    }
  }
}

void GraphChecks::define_outputs(const Nodes& nodes, Scope& scope, const std::string& title) {
  for (const NodeProto& node : nodes) {
    for (const std::string& output : node.output()) {
      if (output.empty()) continue;
      check_text(output, "a value", title);
      if (scope.outer != nullptr && scope.outer->has(output)) notes_.shadowed_values.push_back(output);
      if (!scope.names.insert(output).second) {
        invalid("The value " + in_quotes(output) + " of " + title + " is defined twice, the second time by " +
                    node_label(node) + ".",
                where_, "Every value needs one writer (static single assignment); export the model again.");
      }
    }
  }
}

void GraphChecks::check_nodes(Nodes& nodes, const Imports& imports, const Scope& scope, const std::string& title) {
  for (NodeProto& node : nodes) {
    if (node.op_type().empty()) invalid("A node of " + title + " has no operator: " + node_label(node) + ".", where_);
    check_text(node.name(), "a node", title);
    check_text(node.op_type(), "an operator", title);
    check_text(node.domain(), "an operator domain", title);
    operators_.check(node, imports);
    for (const std::string& input : node.input()) {
      if (input.empty() || scope.has(input)) continue;
      invalid("The input " + in_quotes(input) + " of " + node_label(node) +
                  " is no input, no initializer and no output of a node.",
              where_, "The model is incomplete; export it again.");
    }
    check_subgraphs(node, imports, scope);
  }
  const std::vector<int> order = topological_order(nodes);
  if (order.size() != static_cast<std::size_t>(nodes.size())) {
    std::vector<std::string> members;
    for (const int i : find_cycle(nodes))
      members.push_back(nodes[i].name().empty() ? nodes[i].op_type() : nodes[i].name());
    invalid("The nodes " + listed(members) + " of " + title + " form a cycle: each needs the output of another.",
            where_);
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] == static_cast<int>(i)) continue;
    notes_.unsorted_graphs.push_back(title);
    sort_nodes(nodes);
    break;
  }
}

void GraphChecks::check_subgraphs(NodeProto& node, const Imports& imports, const Scope& scope) {
  for (auto& attribute : *node.mutable_attribute()) {
    const auto title = [&] { return "the subgraph " + in_quotes(attribute.name()) + " of " + node_label(node); };
    if (attribute.has_g()) check_graph(*attribute.mutable_g(), imports, &scope, title());
    for (auto& graph : *attribute.mutable_graphs()) check_graph(graph, imports, &scope, title());
  }
}

void GraphChecks::check_graph_outputs(const GraphProto& graph, const Scope& scope, const std::string& title) {
  std::unordered_set<std::string_view> seen;
  for (const auto& output : graph.output()) {
    check_text(output.name(), "an output", title);
    if (!scope.names.contains(output.name())) {
      const bool captured = scope.has(output.name());
      invalid("The output " + in_quotes(output.name()) + " of " + title +
                  (captured ? " comes from an enclosing graph." : " is written by no node."),
              where_, captured ? "Put an Identity node in between, as ONNX asks for." : "Export the model again.");
    }
    if (!seen.insert(output.name()).second) notes_.repeated_outputs.push_back(output.name());
  }
}

void GraphChecks::check_text(std::string_view name, const std::string& kind, const std::string& title) const {
  if (valid_utf8(name)) return;
  invalid("The name of " + kind + " of " + title + " is not valid UTF-8: " + in_quotes(name) + ".", where_,
          "Protobuf strings are UTF-8; rename the value.");
}

}  // namespace mpq::graph
