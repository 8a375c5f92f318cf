#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <onnx/onnx_pb.h>

namespace mpq::graph {

/// Domain of the model-local functions mpq writes.
inline constexpr const char* kFunctionDomain = "mpq";

/// One graph of a model's nesting: the main graph, or a body of an If, Loop or Scan node.
struct NestedGraph {
  std::string path;  ///< "" for the main graph, else as in Layer::graph: "If_0/then_branch"
  const onnx::GraphProto* graph = nullptr;
  int parent = -1;  ///< position in the list of the enclosing graph; -1 for the main graph
  int owner = -1;   ///< position in the enclosing graph of the node whose body this is
};

/// Every graph of the model, enclosing ones first. Paths are unique, and stay the same when Constant nodes are
/// removed or other nodes than If, Loop and Scan are added.
std::vector<NestedGraph> nested_graphs(const onnx::ModelProto& model);

/// A name for every node: its own where it has one, else "Conv_3" for the fourth Conv of the graph; made unique.
/// Removing Constant nodes changes no other node's name.
std::vector<std::string> node_labels(const onnx::GraphProto& graph);

/// Numbers the nodes of all graphs as a reader of the file meets them: a body's nodes follow the node that owns it.
class NodeOrder {
 public:
  explicit NodeOrder(const std::vector<NestedGraph>& graphs);
  std::size_t number(int graph, int node) const {
    return numbers_[static_cast<std::size_t>(graph)][static_cast<std::size_t>(node)];
  }

 private:
  std::vector<std::vector<std::size_t>> numbers_;  // per graph and node
};

/// Calls `visit` for every value a node reads: its inputs and what its bodies take from the graphs around them.
/// A value may be visited more than once.
void for_each_read(const onnx::NodeProto& node, const std::function<void(const std::string&)>& visit);

/// The names a graph defines itself: inputs, initializers and node outputs.
std::unordered_set<std::string> defined_names(const onnx::GraphProto& graph);

/// Every name of a value in the model, bodies and functions included.
std::unordered_set<std::string> all_value_names(const onnx::ModelProto& model);

/// Hands out names that are not in use yet.
class NamePool {
 public:
  explicit NamePool(std::unordered_set<std::string> taken = {}) : taken_(std::move(taken)) {}
  /// `stem`, or `stem_2`, `stem_3`, ...: the first that is free. It is taken from then on.
  std::string take(const std::string& stem);
  bool taken(const std::string& name) const { return taken_.count(name) > 0; }

 private:
  std::unordered_set<std::string> taken_;
  std::unordered_map<std::string, int> next_;  ///< per stem, so that many equal stems do not take quadratic time
};

/// True for a node with bodies: If, Loop, Scan and the like.
bool has_body(const onnx::NodeProto& node);

}  // namespace mpq::graph
