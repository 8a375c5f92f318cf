#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <onnx/onnx_pb.h>

namespace mpq::graph {

/// Who writes and who reads what in the main graph of a run form; made once, used for every cut.
/// Nodes and values go by number; a node with bodies reads what its bodies take from the main graph.
struct RunIndex {
  explicit RunIndex(const onnx::ModelProto& model);

  struct NodeFacts {
    std::vector<int> reads, writes;  ///< values, each once, in order
    bool constant = false;           ///< depends on no input and on no random operator
    int weight = 1;                  ///< nodes it stands for: itself and those of its bodies
  };
  struct ValueFacts {
    std::string name;
    int producer = -1;     ///< node that writes it; -1 for inputs and initializers
    int initializer = -1;  ///< position among the initializers
    int sparse = -1;       ///< position among the sparse initializers
    int input = -1;        ///< position among the inputs
    bool constant = false;
    bool tensor = true;  ///< false for sequences and optionals, which cannot be fed
    std::vector<int> readers;
  };

  /// The number of a value; -1 for a name the main graph does not have.
  int find(const std::string& name) const;
  const ValueFacts& value(int number) const { return values[static_cast<std::size_t>(number)]; }
  const NodeFacts& node(int number) const { return nodes[static_cast<std::size_t>(number)]; }

  std::vector<NodeFacts> nodes;    ///< parallel to the graph's nodes, which are sorted
  std::vector<ValueFacts> values;  ///< inputs, then initializers, then node outputs in node order
  std::unordered_map<std::string, int> numbers;
};

}  // namespace mpq::graph
