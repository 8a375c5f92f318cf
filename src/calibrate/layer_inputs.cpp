#include "calibrate/layer_inputs.h"

#include <algorithm>
#include <unordered_set>

#include "calibrate/bias.h"
#include "graph/run_index.h"
#include "graph/weight_roles.h"

namespace mpq::calibrate {

namespace {

using quant::MatrixView;

/// A node that reads the weight, or a constant copy of it.
struct Reader {
  int node = 0;
  int input = 0;
  bool transposed = false;  ///< its two axes exchanged
  bool rearranged = false;  ///< sliced, joined or reshaped
};

bool standard(const onnx::NodeProto& node) { return node.domain().empty() || node.domain() == "ai.onnx"; }

/// Transpose of a matrix.
bool exchanges_axes(const onnx::NodeProto& node) {
  const std::vector<std::int64_t> order = graph::ints_attribute(node, "perm");
  return order.empty() || order == std::vector<std::int64_t>{1, 0};
}

/// Operators that recurrent weights pass where exporters bring gates into order; Layer::block_axis tells whether rows
/// stayed rows.
bool rearranges(const std::string& op) {
  static const std::unordered_set<std::string> kOps = {"Slice", "Split", "Concat", "Unsqueeze", "Squeeze", "Reshape"};
  return kOps.count(op) > 0;
}

/// Every reader behind constant operators; empty where one of them is none we can follow.
std::optional<std::vector<Reader>> readers_of(const graph::RunForm& form, const std::string& weight, std::size_t rank) {
  struct Seen {
    int value;
    bool transposed, rearranged;
  };
  std::vector<Reader> readers;
  std::vector<Seen> open{{form.index->find(weight), false, false}};
  while (!open.empty()) {
    const auto [value, transposed, rearranged] = open.back();
    open.pop_back();
    if (value < 0) return std::nullopt;
    const auto& facts = form.index->value(value);
    for (const int number : facts.readers) {
      const onnx::NodeProto& node = form.model.graph().node(number);
      const auto slot = std::find(node.input().begin(), node.input().end(), facts.name);
      if (slot == node.input().end()) return std::nullopt;  // a body reads it
      const std::string& op = node.op_type();
      if (!form.index->node(number).constant) {
        readers.push_back({number, static_cast<int>(slot - node.input().begin()), transposed, rearranged});
      } else if (op == "Identity" || op == "Cast") {
        open.push_back({form.index->find(node.output(0)), transposed, rearranged});
      } else if (op == "Transpose" && rank == 2 && exchanges_axes(node)) {
        open.push_back({form.index->find(node.output(0)), !transposed, rearranged});
      } else if (rearranges(op)) {
        for (const auto& output : node.output()) open.push_back({form.index->find(output), transposed, true});
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
  Use use{{node.input(0), InputUse::Kind::kConv, conv_geometry(node, shape), false}, {}};
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
  return {{activation, kind, {}, false},
          inputs_first ? MatrixView::columns_first(a, b) : MatrixView::rows_first(1, a, b)};
}

/// Every pixel is a row, every tap of every output channel an output.
std::optional<Use> transposed_conv_use(const onnx::NodeProto& node, const std::vector<std::int64_t>& shape) {
  const std::int64_t groups = graph::int_attribute(node, "group", 1);
  if (shape.size() < 3 || groups < 1 || shape[0] % groups != 0) return std::nullopt;
  const std::size_t axes = shape.size() - 2;
  ConvGeometry pixels;
  pixels.kernel = pixels.strides = pixels.dilations = std::vector<std::int64_t>(axes, 1);
  pixels.pads.assign(2 * axes, 0);
  pixels.groups = static_cast<std::size_t>(groups);
  Use use{{node.input(0), InputUse::Kind::kConv, std::move(pixels), false}, {}};
  std::size_t outputs = 1;
  for (std::size_t a = 1; a < shape.size(); ++a) outputs *= static_cast<std::size_t>(shape[a]);
  const auto inputs = static_cast<std::size_t>(shape[0] / groups);
  use.view = {use.input.conv.groups, outputs, inputs, inputs * outputs, 1, outputs};
  return use;
}

bool is_recurrent(const std::string& op) { return op == "LSTM" || op == "GRU" || op == "RNN"; }

/// LSTM, GRU and RNN read W (input 1) with x and R (input 2) with their own state; every direction and gate is a row.
std::vector<Use> recurrent_uses(const onnx::NodeProto& node, int input, const Layer& layer) {
  using Kind = InputUse::Kind;
  const std::vector<std::int64_t>& shape = layer.shape;
  if (shape.size() < 2 || layer.block_axis != static_cast<int>(shape.size()) - 1) return {};
  if (graph::int_attribute(node, "layout", 0) != 0) return {};
  const auto columns = static_cast<std::size_t>(shape.back());
  std::size_t rows = 1;
  for (std::size_t a = 0; a + 1 < shape.size(); ++a) rows *= static_cast<std::size_t>(shape[a]);
  if (input == 1) return {Use{{node.input(0), Kind::kRows, {}, false}, MatrixView::rows_first(1, rows, columns)}};
  const std::string direction = graph::string_attribute(node, "direction");
  const std::size_t directions = direction == "bidirectional" ? 2 : 1;
  const std::size_t gates = node.op_type() == "LSTM" ? 4 : node.op_type() == "GRU" ? 3 : 1;
  if (rows != directions * gates * columns) return {};
  const MatrixView view = MatrixView::rows_first(directions, rows / directions, columns);
  constexpr int kInitialState = 5;
  std::vector<Use> uses;
  const bool reversed = direction == "bidirectional" || direction == "reverse";
  if (node.output_size() > 0 && !node.output(0).empty()) {
    uses.push_back({{node.output(0), Kind::kState, {}, reversed}, view});
  }
  if (node.input_size() > kInitialState && !node.input(kInitialState).empty()) {
    uses.push_back({{node.input(kInitialState), Kind::kInitialState, {}, false}, view});
  }
  return uses;
}

std::vector<Use> uses_of(const onnx::NodeProto& node, const Reader& reader, const Layer& layer) {
  using Kind = InputUse::Kind;
  const auto one = [](std::optional<Use> use) { return use ? std::vector<Use>{std::move(*use)} : std::vector<Use>{}; };
  if (!standard(node)) return {};
  const std::string& op = node.op_type();
  const std::vector<std::int64_t>& shape = layer.shape;
  if (is_recurrent(op) && (reader.input == 1 || reader.input == 2)) return recurrent_uses(node, reader.input, layer);
  if (reader.rearranged) return {};
  if (op == "Conv" && reader.input == 1) return one(conv_use(node, shape));
  if (op == "ConvTranspose" && reader.input == 1) return one(transposed_conv_use(node, shape));
  if (shape.size() != 2) return {};
  if (op == "MatMul" && reader.input == 1) {
    return {matrix_use(node.input(0), Kind::kRows, !reader.transposed, shape)};
  }
  if (op == "MatMul" && reader.input == 0) {
    return {matrix_use(node.input(1), Kind::kColumns, reader.transposed, shape)};
  }
  if (op == "Gemm" && reader.input == 1) {
    const bool flipped = graph::int_attribute(node, "transB", 0) != 0;
    const Kind kind = graph::int_attribute(node, "transA", 0) != 0 ? Kind::kColumns : Kind::kRows;
    return {matrix_use(node.input(0), kind, flipped == reader.transposed, shape)};
  }
  return {};
}

bool can_be_captured(const graph::RunForm& form, const std::string& name) {
  const int number = form.index->find(name);
  if (number < 0) return false;
  const auto& value = form.index->value(number);
  return value.tensor && !value.constant && (value.producer >= 0 || value.input >= 0);
}

}  // namespace

std::optional<LayerInputs> layer_inputs(const Model& model, const graph::RunForm& form, std::size_t layer) {
  const std::string& weight = form.weight_names[layer];
  if (weight.empty()) return std::nullopt;
  const auto readers = readers_of(form, weight, model.layers()[layer].shape.size());
  if (!readers || readers->empty()) return std::nullopt;
  LayerInputs result;
  result.layer = layer;
  for (const Reader& reader : *readers) {
    const onnx::NodeProto& node = form.model.graph().node(reader.node);
    const std::vector<Use> uses = uses_of(node, reader, model.layers()[layer]);
    if (uses.empty()) return std::nullopt;
    for (const Use& use : uses) {
      if (!can_be_captured(form, use.input.activation)) return std::nullopt;
      if (!result.uses.empty() && !(use.view == result.view)) return std::nullopt;
      result.view = use.view;
      // A weight that reaches one node in slices is read there once.
      if (std::find(result.uses.begin(), result.uses.end(), use.input) == result.uses.end()) {
        result.uses.push_back(use.input);
      }
    }
  }
  if (readers->size() == 1 && readers->front().input == 1) {
    result.bias = correctable_bias(model, form, readers->front().node, result.view.groups * result.view.rows);
  }
  return result;
}

}  // namespace mpq::calibrate
