#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include <onnx/onnx_pb.h>

#include "graph/scopes.h"
#include "graph/tensor_store.h"
#include "graph/values.h"

namespace mpq::graph {

/// The nodes of one graph, written anew in their order; `graph` counts as in the table, which refers to the old ones.
class GraphWriter {
 public:
  GraphWriter(const ValueTable& table, int graph, NamePool& names, const TensorStore& store)
      : table_(table), graph_(graph), names_(names), store_(store) {}

  /// A node behind those written so far; it stays where it is until the next one comes.
  onnx::NodeProto& add(const std::string& op_type, const std::vector<std::string>& inputs, const std::string& output);
  /// The floats that integers `x` stand for, by a DequantizeLinear in front. `axis` belongs to scales that are several.
  std::string dequantized(const std::string& x, const std::string& scale, const std::string& zero_point, int axis);
  /// A new initializer.
  std::string constant(const std::string& stem, onnx::TensorProto tensor);
  std::string fresh(const std::string& stem) { return names_.take(stem); }
  void keep(const onnx::NodeProto& node) { nodes_.push_back(node); }
  onnx::NodeProto& last() { return nodes_.back(); }
  /// What the node read is read by one less.
  void replaced(const onnx::NodeProto& node) { perhaps_unread_.insert(node.input().begin(), node.input().end()); }

  /// A constant, new ones too; null for what is computed or may be given by the caller.
  const onnx::TensorProto* tensor(const std::string& name) const;
  const onnx::NodeProto* producer(const std::string& name) const { return table_.producer(graph_, name); }
  /// The numbers of a constant of floats of 32 bits; empty for everything else.
  std::vector<float> floats(const std::string& name) const;
  const TensorStore& store() const { return store_; }

  /// Puts what was written in the place of the nodes of `graph`.
  void finish(onnx::GraphProto& graph);
  const std::unordered_set<std::string>& perhaps_unread() const { return perhaps_unread_; }

 private:
  const ValueTable& table_;
  int graph_;
  NamePool& names_;
  const TensorStore& store_;
  std::vector<onnx::NodeProto> nodes_;
  std::map<std::string, onnx::TensorProto> tensors_;
  std::unordered_set<std::string> perhaps_unread_;
};

/// Input `index` of a node; "" where it is left out.
std::string input_name(const onnx::NodeProto& node, int index);
/// Adds an attribute.
void set_int(onnx::NodeProto& node, const std::string& name, std::int64_t value);
void set_ints(onnx::NodeProto& node, const std::string& name, const std::vector<std::int64_t>& values);

}  // namespace mpq::graph
