#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <onnx/onnx_pb.h>

#include "graph/values.h"

namespace mpq::runtime {

/// A node of a model's file that multiplies with a constant weight or looks rows of it up.
struct WeightNode {
  int graph = 0, node = 0;  ///< positions in ValueTable
  bool quantized = false;   ///< its weight is computed from integers or half floats of the file
};

/// The weight nodes of a model, in the order of its graphs and nodes.
std::vector<WeightNode> weight_nodes(const onnx::ModelProto& model, const graph::ValueTable& table);

/// True for ONNX Runtime's operators that multiply with integers or look them up.
bool is_integer_kernel(const std::string& op);

/// The graph ONNX Runtime runs, made searchable.
class OptimizedGraph {
 public:
  explicit OptimizedGraph(const onnx::ModelProto& model);

  /// The node that does the work of one whose name holds `tag`; null where no name does.
  const onnx::NodeProto* tagged(const std::string& tag) const;
  /// The weight kernel that computes `value`, or what is laid out anew or converted to become it; null where the
  /// value is gone or something else computes it.
  const onnx::NodeProto* kernel_of(const std::string& value) const;
  /// The nodes that compute a constant input of `kernel` at every run; empty where all its constants are stored.
  std::vector<const onnx::NodeProto*> constants_computed_for(const onnx::NodeProto& kernel) const;
  /// True when a stored input of `kernel` holds at least `least` integers.
  bool reads_stored_integers(const onnx::NodeProto& kernel, std::int64_t least) const;

 private:
  void add(const onnx::GraphProto& graph);
  const onnx::NodeProto* producer(const std::string& value) const;

  std::vector<const onnx::NodeProto*> nodes_;
  std::unordered_map<std::string, const onnx::NodeProto*> producers_;  // by output, and by name where that is a value's
  std::unordered_map<std::string, const onnx::TensorProto*> stored_;
  std::unordered_set<std::string> constants_;  // stored, or computed from stored ones only
};

}  // namespace mpq::runtime
