#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include <onnx/onnx_pb.h>

#include "graph/weight_roles.h"

namespace mpq::graph {

/// How the axes of a value computed from a stored tensor lie over the axes of that tensor.
struct AxisMap {
  bool known = true;
  std::vector<std::vector<int>> axes;  ///< per axis of the value: the stored axes merged into it; empty where inserted
  std::vector<std::int64_t> extents;   ///< of the value; -1 where not known

  static AxisMap identity(const std::vector<std::int64_t>& shape);
  static AxisMap lost() { return {false, {}, {}}; }
};

/// Looks up a constant integer operand of a node (Reshape's shape, Squeeze's axes); empty optional when not constant.
using IntOperand = std::function<std::optional<std::vector<std::int64_t>>(int input)>;
/// The rank of a node's operand when it is a stored tensor; -1 when not known.
using RankOperand = std::function<int(int input)>;

/// The numbers of a small int64 tensor held inside the protobuf; empty optional for null and other tensors.
std::optional<std::vector<std::int64_t>> int64_values(const onnx::TensorProto* tensor);

/// True for operators that pass a constant weight on when all their inputs are constant: layout changes, and the
/// arithmetic exporters leave around weights (weight normalisation, low-rank updates).
bool passes_weight_on(const onnx::NodeProto& node, int input);

/// True for the arithmetic among them.
bool is_arithmetic(const onnx::NodeProto& node);

/// The map of the node's outputs, given the map of input `input`. `lost` where the axes cannot be followed.
AxisMap follow(const AxisMap& map, const onnx::NodeProto& node, int input, const IntOperand& ints,
               const RankOperand& rank);

/// The scale axes of the stored tensor for a weight seen through `map`.
/// Where the axes were lost: one scale per index of axis 0, no blocks.
WeightRole stored_role(const AxisMap& map, const onnx::NodeProto& node, int input,
                       const std::vector<std::int64_t>& stored_shape);

}  // namespace mpq::graph
