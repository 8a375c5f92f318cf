#include "calibrate/layer_inputs.h"

#include <algorithm>
#include <unordered_set>

#include "calibrate/bias.h"
#include "graph/run_index.h"
#include "graph/weight_roles.h"

namespace mpq::calibrate {

namespace {

using quant::MatrixView;

/// A node that reads the weight, or a constant copy of it with its two axes exchanged.
struct Reader {
  int node = 0;
  int input = 0;
  bool transposed = false;
};

bool standard(const onnx::NodeProto& node) { return node.domain().empty() || node.domain() == "ai.onnx"; }

/// Transpose of a matrix.
bool exchanges_axes(const onnx::NodeProto& node) {
  const std::vector<std::int64_t> order = graph::ints_attribute(node, "perm");
  return order.empty() || order == std::vector<std::int64_t>{1, 0};
}

/// Every reader behind Identity, Cast and Transpose; empty where one of them is none we can follow.
std::optional<std::vector<Reader>> readers_of(const graph::RunForm& form, const std::string& weight, std::size_t rank) {
  struct Seen {
    int value;
    bool transposed;
  };
  std::vector<Reader> readers;
  std::vector<Seen> open{{form.index->find(weight), false}};
  while (!open.empty()) {
    const auto [value, transposed] = open.back();
    open.pop_back();
    if (value < 0) return std::nullopt;
    const auto& facts = form.index->value(value);
    for (const int number : facts.readers) {
      const onnx::NodeProto& node = form.model.graph().node(number);
      const auto slot = std::find(node.input().begin(), node.input().end(), facts.name);
      if (slot == node.input().end()) return std::nullopt;  // a body reads it
      const std::string& op = node.op_type();
      if (!form.index->node(number).constant) {
        readers.push_back({number, static_cast<int>(slot - node.input().begin()), transposed});
      } else if (op == "Identity" || op == "Cast") {
        open.push_back({form.index->find(node.output(0)), transposed});
      } else if (op == "Transpose" && rank == 2 && exchanges_axes(node)) {
        open.push_back({form.index->find(node.output(0)), !transposed});
      } else {
        return std::nullopt;
      }
    }
  }
  return readers;
}

struct Use {
  InputUse input;
  MatrixView view;
};

std::optional<Use> conv_use(const onnx::NodeProto& node, const std::vector<std::int64_t>& shape) {
  if (shape.size() < 3) return std::nullopt;
  Use use{{node.input(0), InputUse::Kind::kConv, conv_geometry(node, shape)}, {}};
  const auto outputs = static_cast<std::size_t>(shape[0]);
  std::size_t columns = static_cast<std::size_t>(shape[1]);
  for (const std::int64_t extent : use.input.conv.kernel) columns *= static_cast<std::size_t>(extent);
  if (columns == 0 || outputs % use.input.conv.groups != 0) return std::nullopt;
  use.view = MatrixView::rows_first(use.input.conv.groups, outputs / use.input.conv.groups, columns);
  return use;
}

/// `inputs_first`: the operator sees [inputs, outputs].
Use matrix_use(const std::string& activation, InputUse::Kind kind, bool inputs_first,
               const std::vector<std::int64_t>& shape) {
  const auto a = static_cast<std::size_t>(shape[0]), b = static_cast<std::size_t>(shape[1]);
  return {{activation, kind, {}}, inputs_first ? MatrixView::columns_first(a, b) : MatrixView::rows_first(1, a, b)};
}

std::optional<Use> use_of(const onnx::NodeProto& node, const Reader& reader, const std::vector<std::int64_t>& shape) {
  using Kind = InputUse::Kind;
  if (!standard(node)) return std::nullopt;
  const std::string& op = node.op_type();
  if (op == "Conv" && reader.input == 1) return conv_use(node, shape);
  if (shape.size() == 3 && reader.input == 1 && (op == "LSTM" || op == "GRU" || op == "RNN")) {
    // Every direction and gate reads the same rows: [directions * gates * hidden, inputs].
    const auto columns = static_cast<std::size_t>(shape[2]);
    return Use{{node.input(0), Kind::kRows, {}},
               MatrixView::rows_first(1, static_cast<std::size_t>(shape[0] * shape[1]), columns)};
  }
  if (shape.size() != 2) return std::nullopt;
  if (op == "MatMul" && reader.input == 1) {
    return matrix_use(node.input(0), Kind::kRows, !reader.transposed, shape);
  }
  if (op == "MatMul" && reader.input == 0) {
    return matrix_use(node.input(1), Kind::kColumns, reader.transposed, shape);
  }
  if (op == "Gemm" && reader.input == 1) {
    const bool flipped = graph::int_attribute(node, "transB", 0) != 0;
    const Kind kind = graph::int_attribute(node, "transA", 0) != 0 ? Kind::kColumns : Kind::kRows;
    return matrix_use(node.input(0), kind, flipped == reader.transposed, shape);
  }
  return std::nullopt;
}

bool can_be_captured(const graph::RunForm& form, const std::string& name) {
  const int number = form.index->find(name);
  if (number < 0) return false;
  const auto& value = form.index->value(number);
  return value.tensor && !value.constant && (value.producer >= 0 || value.input >= 0);
}

}  // namespace

std::optional<LayerInputs> layer_inputs(const Model& model, const graph::RunForm& form, std::size_t layer) {
  const std::vector<std::int64_t>& shape = model.layers()[layer].shape;
  const std::string& weight = form.weight_names[layer];
  if (weight.empty()) return std::nullopt;
  const auto readers = readers_of(form, weight, shape.size());
  if (!readers || readers->empty()) return std::nullopt;
  LayerInputs result;
  result.layer = layer;
  for (const Reader& reader : *readers) {
    const onnx::NodeProto& node = form.model.graph().node(reader.node);
    const std::optional<Use> use = use_of(node, reader, shape);
    if (!use || !can_be_captured(form, use->input.activation)) return std::nullopt;
    if (!result.uses.empty() && !(use->view == result.view)) return std::nullopt;
    result.view = use->view;
    result.uses.push_back(use->input);
  }
  if (readers->size() == 1 && readers->front().input == 1) {
    result.bias = correctable_bias(model, form, readers->front().node, result.view.groups * result.view.rows);
  }
  return result;
}

}  // namespace mpq::calibrate
