#include "data/input_hints.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "graph/model_impl.h"
#include "graph/tensor_store.h"

namespace mpq::data {
namespace {

using graph::Read;
using graph::Value;
using graph::ValueTable;

std::int64_t int_attribute(const onnx::NodeProto& node, const std::string& name, std::int64_t otherwise) {
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.name() == name) return attribute.i();
  }
  return otherwise;
}

/// Nodes whose output holds (some of) the elements of input 0, unchanged but for their type.
bool keeps_elements(const std::string& op) {
  static const std::set<std::string> kOps = {"Cast",    "Identity",  "Reshape", "Squeeze", "Unsqueeze",
                                             "Flatten", "Transpose", "Slice",   "Expand",  "Tile",
                                             "Concat",  "Split",     "Gather",  "Clip"};
  return kOps.count(op) > 0;
}

class Interview {
 public:
  Interview(const Model& model, const ValueTable& table) : model_(model), table_(table) {}

  InputHints ask(const ValueInfo& input) {
    const int start = table_.find(0, input.name);
    if (start >= 0) follow(start, true);
    return hints_;
  }

 private:
  const onnx::NodeProto& node_of(const Value& value) const {
    return table_.graphs()[static_cast<std::size_t>(value.graph)].graph->node(value.index);
  }

  const Value* value_at(int graph, const std::string& name) const {
    const int index = name.empty() ? -1 : table_.find(graph, name);
    return index < 0 ? nullptr : &table_.values()[static_cast<std::size_t>(index)];
  }

  const Value* operand(const Read& read, int input) const {
    const onnx::NodeProto& node = table_.node(read);
    return input < node.input_size() ? value_at(read.graph, node.input(input)) : nullptr;
  }

  /// The tensor behind a constant, looked for through nodes that keep its shape.
  const onnx::TensorProto* constant(const Value* value) const {
    while (value != nullptr) {
      if (const onnx::TensorProto* tensor = table_.tensor(*value)) return tensor;
      if (value->origin != Value::Origin::kNode) return nullptr;
      const onnx::NodeProto& node = node_of(*value);
      const std::string& op = node.op_type();
      if (op != "Identity" && op != "Cast" && op != "DequantizeLinear") return nullptr;
      value = value_at(value->graph, node.input(0));
    }
    return nullptr;
  }

  /// Extent of a constant operand along an axis; nothing when it is no constant.
  std::optional<std::int64_t> extent(const Read& read, int input, int axis) const {
    const onnx::TensorProto* tensor = constant(operand(read, input));
    if (tensor == nullptr) return std::nullopt;
    if (axis < 0) axis += tensor->dims_size();
    if (axis < 0 || axis >= tensor->dims_size()) return std::nullopt;
    return tensor->dims(axis);
  }

  std::optional<std::int64_t> scalar(const Value* value) const {
    const onnx::TensorProto* tensor = constant(value);
    if (tensor == nullptr) return std::nullopt;
    std::string scratch;
    const auto bytes = graph::raw_bytes(*tensor, *model_.impl().store, scratch);
    const bool wide = tensor->data_type() == onnx::TensorProto::INT64;
    if (!wide && tensor->data_type() != onnx::TensorProto::INT32) return std::nullopt;
    if (bytes.size() != (wide ? sizeof(std::int64_t) : sizeof(std::int32_t))) return std::nullopt;
    std::int64_t value64 = 0;
    std::int32_t value32 = 0;
    std::memcpy(wide ? static_cast<void*>(&value64) : static_cast<void*>(&value32), bytes.data(), bytes.size());
    return wide ? value64 : value32;
  }

  void limit_rows(std::optional<std::int64_t> rows) {
    const std::int64_t bound = std::max<std::int64_t>(rows.value_or(1), 1);
    hints_.rows = std::min(hints_.rows.value_or(bound), bound);
  }

  void ask_about_contents(const Read& read) {
    const onnx::NodeProto& node = table_.node(read);
    const std::string& op = node.op_type();
    if (op == "Gather" && read.input == 1)
      limit_rows(extent(read, 0, static_cast<int>(int_attribute(node, "axis", 0))));
    if ((op == "GatherElements" || op == "GatherND" || op == "ScatterElements" || op == "ScatterND") &&
        read.input == 1) {
      limit_rows(std::nullopt);
    }
    if (op == "OneHot" && read.input == 0) limit_rows(scalar(operand(read, 1)));
    if (op == "Equal" && !hints_.compared_with) hints_.compared_with = scalar(operand(read, 1 - read.input));
  }

  void demand(int axis, std::optional<std::int64_t> extent) {
    if (extent && *extent > 0) hints_.extents.emplace(axis, *extent);
  }

  void ask_about_extents(const Read& read) {
    if (read.input != 0) return;
    const onnx::NodeProto& node = table_.node(read);
    const std::string& op = node.op_type();
    if (op == "Conv") {
      if (const auto channels = extent(read, 1, 1)) demand(1, *channels * int_attribute(node, "group", 1));
    } else if (op == "ConvTranspose") {
      demand(1, extent(read, 1, 0));
    } else if (op == "MatMul") {
      demand(-1, extent(read, 1, -2));
    } else if (op == "Gemm" && int_attribute(node, "transA", 0) == 0) {
      demand(1, extent(read, 1, int_attribute(node, "transB", 0) != 0 ? 1 : 0));
    } else if (op == "LSTM" || op == "GRU" || op == "RNN") {
      demand(-1, extent(read, 1, 2));
    } else if (op == "BatchNormalization") {
      demand(1, extent(read, 1, 0));
    }
  }

  void follow(int index, bool same_shape) {
    if (!seen_.insert(index).second) return;
    for (const Read& read : table_.values()[static_cast<std::size_t>(index)].reads) {
      const onnx::NodeProto& node = table_.node(read);
      ask_about_contents(read);
      if (same_shape) ask_about_extents(read);
      const bool data_operand = read.input == 0 || node.op_type() == "Concat";
      if (!data_operand || !keeps_elements(node.op_type())) continue;
      const bool shape_kept = node.op_type() == "Cast" || node.op_type() == "Identity" || node.op_type() == "Clip";
      for (const std::string& output : node.output()) {
        const int next = output.empty() ? -1 : table_.find(read.graph, output);
        if (next >= 0) follow(next, same_shape && shape_kept);
      }
    }
  }

  const Model& model_;
  const ValueTable& table_;
  InputHints hints_;
  std::set<int> seen_;
};

}  // namespace

InputHints hints_for(const Model& model, const ValueTable& table, const ValueInfo& input) {
  return Interview(model, table).ask(input);
}

}  // namespace mpq::data
