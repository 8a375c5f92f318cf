#include "graph/weight_roles.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace mpq::graph {
namespace {

enum class Kind { kConv, kConvTranspose, kGemm, kMatMul, kTable, kRecurrent, kEinsum, kExperts };

struct Entry {
  Kind kind;
  std::set<int> inputs;
};

const std::map<std::string, Entry>& standard_operators() {
  static const std::map<std::string, Entry> kTable = {
      {"Conv", {Kind::kConv, {1}}},
      {"DeformConv", {Kind::kConv, {1}}},
      {"ConvTranspose", {Kind::kConvTranspose, {1}}},
      {"Gemm", {Kind::kGemm, {0, 1}}},
      {"MatMul", {Kind::kMatMul, {0, 1}}},
      {"Gather", {Kind::kTable, {0}}},
      {"GatherElements", {Kind::kTable, {0}}},
      {"GatherND", {Kind::kTable, {0}}},
      {"LSTM", {Kind::kRecurrent, {1, 2}}},
      {"GRU", {Kind::kRecurrent, {1, 2}}},
      {"RNN", {Kind::kRecurrent, {1, 2}}},
      {"Einsum", {Kind::kEinsum, {}}},
  };
  return kTable;
}

/// ONNX Runtime's fused operators with float weights (its ContribOperators.md).
const std::map<std::string, Entry>& runtime_operators() {
  static const std::map<std::string, Entry> kTable = {
      {"FusedConv", {Kind::kConv, {1}}},
      {"FusedMatMul", {Kind::kMatMul, {0, 1}}},
      {"TransposeMatMul", {Kind::kMatMul, {0, 1}}},
      {"FusedMatMulActivation", {Kind::kMatMul, {0, 1}}},
      {"FusedGemm", {Kind::kGemm, {0, 1}}},
      {"GemmFastGelu", {Kind::kMatMul, {1}}},
      {"Attention", {Kind::kMatMul, {1}}},
      {"EmbedLayerNormalization", {Kind::kTable, {2, 3, 4}}},
      {"MoE", {Kind::kExperts, {2, 4, 6}}},
  };
  return kTable;
}

const Entry* entry_of(const onnx::NodeProto& node) {
  const bool standard = node.domain().empty() || node.domain() == "ai.onnx";
  if (!standard && node.domain() != "com.microsoft") return nullptr;
  const auto& table = standard ? standard_operators() : runtime_operators();
  const auto found = table.find(node.op_type());
  return found == table.end() ? nullptr : &found->second;
}

std::vector<int> all_but(int rank, int omitted) {
  std::vector<int> axes;
  for (int axis = 0; axis < rank; ++axis) {
    if (axis != omitted) axes.push_back(axis);
  }
  return axes;
}

/// Conv weights are [outputs, inputs / groups, kernel...]. Blocks of inputs make sense where a kernel is a plain
/// matrix: every kernel extent 1, and no groups to straddle.
WeightRole conv_role(const onnx::NodeProto& node, const std::vector<std::int64_t>& shape) {
  const bool pointwise =
      shape.size() >= 2 && std::all_of(shape.begin() + 2, shape.end(), [](std::int64_t extent) { return extent == 1; });
  return {{0}, pointwise && int_attribute(node, "group", 1) == 1 ? 1 : -1};
}

/// ConvTranspose weights are [inputs, outputs / groups, kernel...]: axis 1 is the output channel. With groups an index
/// of axis 1 stands for one output in each of them, while an index of axis 0 belongs to one group: the finer choice.
WeightRole conv_transpose_role(const onnx::NodeProto& node) {
  if (int_attribute(node, "group", 1) != 1) return {{0}, -1};
  return {{1}, -1};
}

/// A matrix whose axis `summed` (of its last two) is summed over; leading axes are batches.
WeightRole matrix_role(int rank, int summed) { return {all_but(rank, summed), summed}; }

WeightRole matmul_role(const onnx::NodeProto& node, int input, int rank) {
  const bool transposed = int_attribute(node, input == 0 ? "transA" : "transB", 0) != 0;
  return matrix_role(rank, (input == 0) != transposed ? rank - 1 : rank - 2);
}

/// A looked-up table: one scale per looked-up row, blocks along the row.
WeightRole table_role(const onnx::NodeProto& node, int rank) {
  std::int64_t axis = node.op_type() == "GatherND" ? 0 : int_attribute(node, "axis", 0);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank) axis = 0;
  return {{static_cast<int>(axis)}, axis == rank - 1 ? rank - 2 : rank - 1};
}

std::vector<std::string> split_terms(const std::string& text) {
  std::vector<std::string> terms(1);
  for (const char c : text) {
    if (c == ',') {
      terms.emplace_back();
    } else if (c != ' ') {
      terms.back() += c;
    }
  }
  return terms;
}

/// Axes named in the result are channels; the others are summed over.
WeightRole einsum_role(const onnx::NodeProto& node, int input, int rank) {
  const WeightRole unknown = {{0}, -1};
  const std::string equation = string_attribute(node, "equation");
  const std::size_t arrow = equation.find("->");
  const auto terms = split_terms(equation.substr(0, arrow));
  if (arrow == std::string::npos || input >= static_cast<int>(terms.size())) return unknown;
  const std::string& term = terms[static_cast<std::size_t>(input)];
  if (static_cast<int>(term.size()) != rank || term.find('.') != std::string::npos) return unknown;
  WeightRole role;
  std::vector<int> summed;
  for (int axis = 0; axis < rank; ++axis) {
    const bool kept = equation.find(term[static_cast<std::size_t>(axis)], arrow + 2) != std::string::npos;
    (kept ? role.channel_axes : summed).push_back(axis);
  }
  if (role.channel_axes.empty() || summed.empty()) return unknown;
  if (summed.size() == 1) role.block_axis = summed[0];
  return role;
}

const onnx::AttributeProto* attribute_of(const onnx::NodeProto& node, const std::string& name) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

bool takes_weight(const onnx::NodeProto& node, int input) {
  const Entry* entry = entry_of(node);
  if (!entry) return false;
  return entry->kind == Kind::kEinsum || entry->inputs.count(input) > 0;
}

WeightRole weight_role(const onnx::NodeProto& node, int input, const std::vector<std::int64_t>& shape) {
  const Entry* entry = entry_of(node);
  const int rank = static_cast<int>(shape.size());
  if (!entry || rank < 2) return {{0}, -1};
  switch (entry->kind) {
    case Kind::kConv:
      return conv_role(node, shape);
    case Kind::kConvTranspose:
      return conv_transpose_role(node);
    case Kind::kGemm:
    case Kind::kMatMul:
      return matmul_role(node, input, rank);
    case Kind::kTable:
      return table_role(node, rank);
    case Kind::kRecurrent:  // [directions, gates * hidden, inputs]
    case Kind::kExperts:    // [experts, outputs, inputs]
      return matrix_role(rank, rank - 1);
    case Kind::kEinsum:
      return einsum_role(node, input, rank);
  }
  return {{0}, -1};
}

std::string weight_input_name(const onnx::NodeProto& node, int input) {
  const Entry* entry = entry_of(node);
  if (entry && entry->kind == Kind::kRecurrent) return input == 1 ? "W" : "R";
  return "input" + std::to_string(input);
}

bool is_quantized_operator(const onnx::NodeProto& node) {
  const std::string& op = node.op_type();
  if (op == "QuantizeLinear" || op == "DequantizeLinear" || op == "MatMulBnb4" || op == "GatherBlockQuantized") {
    return true;
  }
  if (op.rfind("QLinear", 0) == 0 || op.rfind("DynamicQuantize", 0) == 0 || ends_with(op, "NBits")) return true;
  if (op.find("Integer") != std::string::npos) return true;  // MatMulInteger, ConvInteger, MatMulIntegerToFloat
  // QAttention, QGemm, QMoE, QOrderedMatMul, ...
  return node.domain() == "com.microsoft" && op.size() > 1 && op[0] == 'Q' &&
         std::isupper(static_cast<unsigned char>(op[1])) != 0;
}

std::int64_t int_attribute(const onnx::NodeProto& node, const std::string& name, std::int64_t otherwise) {
  const onnx::AttributeProto* attribute = attribute_of(node, name);
  return attribute && attribute->has_i() ? attribute->i() : otherwise;
}

float float_attribute(const onnx::NodeProto& node, const std::string& name, float otherwise) {
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.name() == name) return attribute.f();
  }
  return otherwise;
}

std::string string_attribute(const onnx::NodeProto& node, const std::string& name) {
  const onnx::AttributeProto* attribute = attribute_of(node, name);
  return attribute && attribute->has_s() ? attribute->s() : "";
}

std::vector<std::int64_t> ints_attribute(const onnx::NodeProto& node, const std::string& name) {
  const onnx::AttributeProto* attribute = attribute_of(node, name);
  if (!attribute) return {};
  return {attribute->ints().begin(), attribute->ints().end()};
}

}  // namespace mpq::graph
