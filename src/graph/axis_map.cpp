#include "graph/axis_map.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <set>

namespace mpq::graph {
namespace {

using Ints = std::vector<std::int64_t>;

/// Axes as non-negative, sorted, distinct positions below `rank`; empty optional when one is out of range.
std::optional<std::vector<int>> normalized(const Ints& axes, int rank) {
  std::set<int> result;
  for (std::int64_t axis : axes) {
    if (axis < 0) axis += rank;
    if (axis < 0 || axis >= rank) return std::nullopt;
    result.insert(static_cast<int>(axis));
  }
  return std::vector<int>(result.begin(), result.end());
}

/// An `axes` operand: an attribute in old opsets, input 1 in new ones.
std::optional<Ints> axes_operand(const onnx::NodeProto& node, const IntOperand& ints) {
  if (node.input_size() > 1 && !node.input(1).empty()) return ints(1);
  Ints axes = ints_attribute(node, "axes");
  if (axes.empty()) return std::nullopt;
  return axes;
}

AxisMap transpose(const AxisMap& map, const onnx::NodeProto& node) {
  const int rank = static_cast<int>(map.axes.size());
  Ints permutation = ints_attribute(node, "perm");
  if (permutation.empty()) {
    for (int axis = rank - 1; axis >= 0; --axis) permutation.push_back(axis);
  }
  const auto distinct = normalized(permutation, rank);
  if (static_cast<int>(permutation.size()) != rank || !distinct || static_cast<int>(distinct->size()) != rank) {
    return AxisMap::lost();
  }
  AxisMap result;
  for (const std::int64_t axis : permutation) {
    const auto from = static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
    result.axes.push_back(map.axes[from]);
    result.extents.push_back(map.extents[from]);
  }
  return result;
}

AxisMap squeeze(const AxisMap& map, const onnx::NodeProto& node, const IntOperand& ints) {
  const int rank = static_cast<int>(map.axes.size());
  std::vector<int> dropped;
  if (const auto axes = axes_operand(node, ints)) {
    const auto positions = normalized(*axes, rank);
    if (!positions) return AxisMap::lost();
    dropped = *positions;
  } else {
    for (int axis = 0; axis < rank; ++axis) {
      const std::int64_t extent = map.extents[static_cast<std::size_t>(axis)];
      if (extent < 0) return AxisMap::lost();
      if (extent == 1) dropped.push_back(axis);
    }
  }
  AxisMap result = map;
  for (auto axis = dropped.rbegin(); axis != dropped.rend(); ++axis) {
    result.axes.erase(result.axes.begin() + *axis);
    result.extents.erase(result.extents.begin() + *axis);
  }
  return result;
}

AxisMap unsqueeze(const AxisMap& map, const onnx::NodeProto& node, const IntOperand& ints) {
  const auto axes = axes_operand(node, ints);
  if (!axes) return AxisMap::lost();
  const auto positions = normalized(*axes, static_cast<int>(map.axes.size() + axes->size()));
  if (!positions || positions->size() != axes->size()) return AxisMap::lost();
  AxisMap result = map;
  for (const int axis : *positions) {  // ascending, so every position is final when it is inserted
    result.axes.insert(result.axes.begin() + axis, std::vector<int>{});
    result.extents.insert(result.extents.begin() + axis, 1);
  }
  return result;
}

/// Matches a reshape that only merges neighbouring axes or inserts axes of extent 1; anything else loses the axes.
AxisMap merge_into(const AxisMap& map, const Ints& target) {
  AxisMap result;
  std::size_t from = 0;
  for (const std::int64_t extent : target) {
    std::vector<int> merged;
    std::int64_t product = 1;
    while (from < map.axes.size() &&
           (product < extent || (product == extent && map.extents[from] == 1 && extent > 1))) {
      if (map.extents[from] <= 0) return AxisMap::lost();
      product *= map.extents[from];
      merged.insert(merged.end(), map.axes[from].begin(), map.axes[from].end());
      ++from;
    }
    if (product != extent) return AxisMap::lost();
    result.axes.push_back(std::move(merged));
    result.extents.push_back(extent);
  }
  for (; from < map.axes.size(); ++from) {
    if (map.extents[from] != 1) return AxisMap::lost();
  }
  return result;
}

bool all_known(const Ints& extents) {
  return std::all_of(extents.begin(), extents.end(), [](std::int64_t extent) { return extent > 0; });
}

std::int64_t product(const Ints& extents) {
  return std::accumulate(extents.begin(), extents.end(), std::int64_t{1}, std::multiplies<>());
}

AxisMap reshape(const AxisMap& map, const onnx::NodeProto& node, const IntOperand& ints) {
  const auto wanted = node.input_size() > 1 ? ints(1) : std::optional<Ints>(ints_attribute(node, "shape"));
  if (!wanted || !all_known(map.extents)) return AxisMap::lost();
  Ints target = *wanted;
  std::int64_t rest = product(map.extents);
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target[i] == 0) {
      if (i >= map.extents.size() || int_attribute(node, "allowzero", 0) != 0) return AxisMap::lost();
      target[i] = map.extents[i];
    }
    if (target[i] < -1) return AxisMap::lost();
    if (target[i] > 0) rest /= target[i];
  }
  for (auto& extent : target) {
    if (extent == -1) extent = rest;
  }
  return merge_into(map, target);
}

AxisMap flatten(const AxisMap& map, const onnx::NodeProto& node) {
  const auto rank = static_cast<std::int64_t>(map.axes.size());
  std::int64_t axis = int_attribute(node, "axis", 1);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis > rank || !all_known(map.extents)) return AxisMap::lost();
  return merge_into(map, {product({map.extents.begin(), map.extents.begin() + axis}),
                          product({map.extents.begin() + axis, map.extents.end()})});
}

/// Slices and concatenations keep the axes; only their extents are no longer known.
AxisMap with_unknown_extents(AxisMap map) {
  std::fill(map.extents.begin(), map.extents.end(), -1);
  return map;
}

/// Gather with constant indices: one index takes the axis away, a list of them keeps it.
AxisMap pick(const AxisMap& map, const onnx::NodeProto& node, int indices_rank) {
  const auto rank = static_cast<std::int64_t>(map.axes.size());
  std::int64_t axis = int_attribute(node, "axis", 0);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank || indices_rank < 0 || indices_rank > 1) return AxisMap::lost();
  AxisMap result = map;
  if (indices_rank == 1) {
    result.extents[static_cast<std::size_t>(axis)] = -1;
    return result;
  }
  result.axes.erase(result.axes.begin() + axis);
  result.extents.erase(result.extents.begin() + axis);
  return result;
}

/// Elementwise arithmetic keeps the axes when no other operand has a higher rank (broadcasting aligns the last axes).
AxisMap elementwise(const AxisMap& map, const onnx::NodeProto& node, int input, const RankOperand& rank) {
  for (int other = 0; other < node.input_size(); ++other) {
    if (other == input || node.input(other).empty()) continue;
    const int other_rank = rank(other);
    if (other_rank < 0 || other_rank > static_cast<int>(map.axes.size())) return AxisMap::lost();
  }
  return with_unknown_extents(map);
}

enum class Passing { kSame, kSliced, kElementwise, kOther };

const std::map<std::string, Passing>& passing_operators() {
  static const std::map<std::string, Passing> kTable = {
      {"Identity", Passing::kSame},    {"Cast", Passing::kSame},        {"CastLike", Passing::kSame},
      {"Dropout", Passing::kSame},     {"Slice", Passing::kSliced},     {"Split", Passing::kSliced},
      {"Concat", Passing::kSliced},    {"Pad", Passing::kSliced},       {"Transpose", Passing::kOther},
      {"Squeeze", Passing::kOther},    {"Unsqueeze", Passing::kOther},  {"Reshape", Passing::kOther},
      {"Flatten", Passing::kOther},    {"Gather", Passing::kOther},     {"Expand", Passing::kOther},
      {"Tile", Passing::kOther},       {"Mul", Passing::kElementwise},  {"Div", Passing::kElementwise},
      {"Add", Passing::kElementwise},  {"Sub", Passing::kElementwise},  {"Neg", Passing::kElementwise},
      {"Pow", Passing::kElementwise},  {"Sqrt", Passing::kElementwise}, {"Exp", Passing::kElementwise},
      {"Abs", Passing::kElementwise},  {"Clip", Passing::kElementwise}, {"Reciprocal", Passing::kElementwise},
      {"Sum", Passing::kElementwise},  {"Max", Passing::kElementwise},  {"Min", Passing::kElementwise},
      {"Tanh", Passing::kElementwise}, {"ReduceL2", Passing::kOther},   {"ReduceSum", Passing::kOther},
      {"ReduceMean", Passing::kOther}, {"ReduceMax", Passing::kOther},  {"ReduceSumSquare", Passing::kOther},
  };
  return kTable;
}

}  // namespace

AxisMap AxisMap::identity(const std::vector<std::int64_t>& shape) {
  AxisMap map;
  map.extents = shape;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) map.axes.push_back({static_cast<int>(axis)});
  return map;
}

std::optional<std::vector<std::int64_t>> int64_values(const onnx::TensorProto* tensor) {
  if (!tensor || tensor->data_type() != onnx::TensorProto::INT64 ||
      tensor->data_location() == onnx::TensorProto::EXTERNAL) {
    return std::nullopt;
  }
  if (!tensor->has_raw_data()) return Ints(tensor->int64_data().begin(), tensor->int64_data().end());
  // ONNX stores raw data little-endian, as do the processors mpq runs on.
  Ints values(tensor->raw_data().size() / sizeof(std::int64_t));
  if (!values.empty()) {
    std::memcpy(values.data(), tensor->raw_data().data(), values.size() * sizeof(std::int64_t));
  }
  return values;
}

bool passes_weight_on(const onnx::NodeProto& node, int input) {
  const std::string& op = node.op_type();
  if ((!node.domain().empty() && node.domain() != "ai.onnx") || !passing_operators().count(op)) return false;
  // The other inputs of layout operators are sizes and positions, not weights.
  static const std::set<std::string> kAllInputs = {"Concat", "Mul", "Div", "Add", "Sub", "Pow", "Sum", "Max", "Min"};
  return input == 0 || kAllInputs.count(op) > 0;
}

bool is_arithmetic(const onnx::NodeProto& node) {
  const auto entry = passing_operators().find(node.op_type());
  return entry != passing_operators().end() && entry->second == Passing::kElementwise;
}

AxisMap follow(const AxisMap& map, const onnx::NodeProto& node, int input, const IntOperand& ints,
               const RankOperand& rank) {
  if (!map.known) return map;
  const std::string& op = node.op_type();
  const auto entry = passing_operators().find(op);
  if (entry == passing_operators().end()) return AxisMap::lost();
  switch (entry->second) {
    case Passing::kSame:
      return map;
    case Passing::kSliced:
      return with_unknown_extents(map);
    case Passing::kElementwise:
      return elementwise(map, node, input, rank);
    case Passing::kOther:
      break;
  }
  if (op == "Transpose") return transpose(map, node);
  if (op == "Squeeze") return squeeze(map, node, ints);
  if (op == "Unsqueeze") return unsqueeze(map, node, ints);
  if (op == "Reshape") return reshape(map, node, ints);
  if (op == "Flatten") return flatten(map, node);
  if (op == "Gather") return pick(map, node, rank(1));
  return AxisMap::lost();
}

WeightRole stored_role(const AxisMap& map, const onnx::NodeProto& node, int input,
                       const std::vector<std::int64_t>& stored_shape) {
  const WeightRole fallback = {{0}, -1};
  if (!map.known || map.axes.size() < 2) return fallback;
  const WeightRole seen = weight_role(node, input, map.extents);
  std::set<int> channels, placed;
  for (const auto& merged : map.axes) placed.insert(merged.begin(), merged.end());
  for (const int axis : seen.channel_axes) {
    const auto& merged = map.axes[static_cast<std::size_t>(axis)];
    channels.insert(merged.begin(), merged.end());
  }
  // A stored axis the operator sees one index of (Gather of one layer of a stack) is a batch axis.
  for (int axis = 0; axis < static_cast<int>(stored_shape.size()); ++axis) {
    if (!placed.count(axis) && stored_shape[static_cast<std::size_t>(axis)] > 1) channels.insert(axis);
  }
  if (channels.empty()) return fallback;
  WeightRole role = {{channels.begin(), channels.end()}, -1};
  if (seen.block_axis < 0) return role;
  std::vector<int> blocks;
  for (const int axis : map.axes[static_cast<std::size_t>(seen.block_axis)]) {
    if (stored_shape[static_cast<std::size_t>(axis)] > 1) blocks.push_back(axis);
  }
  if (blocks.size() == 1 && !channels.count(blocks[0])) role.block_axis = blocks[0];
  return role;
}

}  // namespace mpq::graph
