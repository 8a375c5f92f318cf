#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include <onnx/onnx_pb.h>

#include "graph/scopes.h"

namespace mpq::graph {

/// One input slot of one node.
struct Read {
  int graph = 0;
  int node = 0;
  int input = 0;
};

/// A value of a model: where it is defined, whether it is constant, and who reads it.
struct Value {
  enum class Origin { kInput, kInitializer, kSparseInitializer, kNode };
  std::string name;
  int graph = 0;   ///< position in ValueTable::graphs()
  int index = -1;  ///< of the input, initializer or node in that graph
  Origin origin = Origin::kNode;
  bool constant = false;         ///< depends on no input and on no random operator
  bool listed_as_input = false;  ///< an initializer that is listed among its graph's inputs too
  bool graph_output = false;     ///< an output of its own graph, or of a body that takes it from outside
  std::vector<Read> reads;
};

/// Every value of a model's graphs with its readers, name scopes respected: a body sees the values around it
/// unless it defines the name itself. Refers to the model, which must outlive it. Function bodies are not covered.
class ValueTable {
 public:
  /// `inputs_are_constant`: initializers that are inputs too count as constants (always so below IR 4).
  ValueTable(const onnx::ModelProto& model, bool inputs_are_constant);

  const std::vector<NestedGraph>& graphs() const { return graphs_; }
  const std::vector<Value>& values() const { return values_; }
  const onnx::NodeProto& node(const Read& read) const { return graphs_[at(read.graph)].graph->node(read.node); }
  /// The value that `name` means inside `graph`; -1 when there is none.
  int find(int graph, const std::string& name) const;
  /// True when every output of the node is constant.
  bool constant_node(int graph, int node) const { return constant_[at(graph)][at(node)]; }
  /// The tensor of an initializer or of a Constant node's `value`; null for other values.
  const onnx::TensorProto* tensor(const Value& value) const;
  /// The tensor that `name` is wired to inside `graph`; null for what is computed, left out, or the default of an
  /// input.
  const onnx::TensorProto* tensor(int graph, const std::string& name) const;
  /// The node that makes what `name` means inside `graph`; null for inputs and initializers.
  const onnx::NodeProto* producer(int graph, const std::string& name) const;

 private:
  static std::size_t at(int index) { return static_cast<std::size_t>(index); }
  void add_definitions(int graph, bool inputs_are_constant);
  int define(int graph, const std::string& name, Value::Origin origin, int index, bool constant);
  void add_reads(int graph);
  void spread_constness();

  std::vector<NestedGraph> graphs_;
  std::vector<std::unordered_map<std::string, int>> names_;  // per graph
  std::vector<Value> values_;
  std::vector<std::vector<char>> constant_;  // per graph and node
};

/// Initializers listed as inputs are defaults a caller may override, from IR 4 on. Below, every initializer had to be
/// listed, and exporters went on listing all of them for years: a model that lists every one means constants.
bool listed_initializers_are_constants(const onnx::ModelProto& model);

/// The tensor of a Constant node's `value` attribute; null for other nodes and other kinds of Constant.
const onnx::TensorProto* constant_tensor(const onnx::NodeProto& node);

/// True when equal inputs give equal outputs: every operator but the random ones.
bool deterministic(const onnx::NodeProto& node);

}  // namespace mpq::graph
