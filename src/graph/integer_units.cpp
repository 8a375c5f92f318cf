#include "graph/integer_units.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "graph/model_impl.h"
#include "graph/values.h"
#include "graph/weight_roles.h"

namespace mpq::graph {

namespace {

constexpr std::int64_t kMaxPoolOfBytes = 12;

class Finder {
 public:
  explicit Finder(const Model& model) : impl_(model.impl()), table_(impl_.proto, true) {
    for (std::size_t i = 0; i < impl_.sites.size(); ++i) layer_of_[impl_.sites[i].tensor] = i;
  }

  IntegerUnits run(const std::vector<char>& wanted) {
    IntegerUnits result;
    result.reasons.assign(impl_.layers.size(), "");
    for (std::size_t i = 0; i < impl_.layers.size(); ++i) result.reasons[i] = reason_against(i);
    const onnx::GraphProto& graph = impl_.proto.graph();
    for (int n = 0; n < graph.node_size(); ++n) {
      if (table_.constant_node(0, n)) continue;
      const onnx::NodeProto& node = graph.node(n);
      if (!node.domain().empty() && node.domain() != "ai.onnx") continue;
      if (weighted(node)) {
        const auto found = layer_of_.find(node.input(1));
        if (found == layer_of_.end() || !wanted[found->second] || !result.reasons[found->second].empty()) continue;
        result.units.push_back(weighted_unit(node, found->second));
      } else if (combines(node) || passes(node)) {
        result.units.push_back(other_unit(node));
      }
    }
    return result;
  }

 private:
  const Value* value(const std::string& name) const {
    const int found = table_.find(0, name);
    return found < 0 ? nullptr : &table_.values()[static_cast<std::size_t>(found)];
  }
  bool constant(const std::string& name) const {
    const Value* found = value(name);
    return found != nullptr && found->constant;
  }
  const onnx::NodeProto* producer(const std::string& name) const {
    const Value* found = value(name);
    if (found == nullptr || found->origin != Value::Origin::kNode || found->graph != 0) return nullptr;
    return &impl_.proto.graph().node(found->index);
  }
  /// The one node of the main graph that reads the value; null where there are others, or it leaves the graph.
  const onnx::NodeProto* only_reader(const std::string& name) const {
    const Value* found = value(name);
    if (found == nullptr || found->graph_output || found->reads.size() != 1 || found->reads[0].graph != 0)
      return nullptr;
    return &table_.node(found->reads[0]);
  }

  static bool weighted(const onnx::NodeProto& node) {
    return (node.op_type() == "Conv" || node.op_type() == "Gemm") && node.input_size() >= 2;
  }

  std::string reason_against(std::size_t layer) const;
  std::string reason_against(const onnx::NodeProto& node, const Layer& layer) const;
  bool bias_fits(const onnx::NodeProto& node, std::int64_t channels) const;
  bool combines(const onnx::NodeProto& node) const;
  bool passes(const onnx::NodeProto& node) const;
  IntegerUnit weighted_unit(const onnx::NodeProto& node, std::size_t layer) const;
  IntegerUnit other_unit(const onnx::NodeProto& node) const;
  Slot conv_input(const onnx::NodeProto& node) const;
  std::string behind_activation(const onnx::NodeProto& node) const;

  const Model::Impl& impl_;
  ValueTable table_;
  std::unordered_map<std::string, std::size_t> layer_of_;  // by the weight's name in the main graph
};

std::string Finder::reason_against(std::size_t index) const {
  const Layer& layer = impl_.layers[index];
  const WeightSite& site = impl_.sites[index];
  if (!layer.quantizable()) return "the weight is left as it is";
  if (impl_.opset < kScalePerChannel) {
    return "integer kernels need a scale per channel, which opset " + std::to_string(impl_.opset) +
           " lacks (13 has it)";
  }
  if (layer.op == "ConvTranspose") return "ONNX Runtime has no integer kernel for ConvTranspose";
  if (layer.op != "Conv" && layer.op != "Gemm") return "no kernel with 8-bit activations runs " + layer.op;
  if (layer.dtype != "float32") return "integer kernels take float32 models only, and this weight is " + layer.dtype;
  if (!site.graph.empty()) return "the weight lies inside a subgraph";
  const Value* weight = value(site.tensor);
  if (weight == nullptr || weight->graph_output || weight->reads.size() != 1) {
    return "the weight has more than one reader";
  }
  const Read& read = weight->reads[0];
  if (read.graph != 0 || read.input != 1 || table_.node(read).op_type() != layer.op) {
    return "the weight does not enter the operator directly";
  }
  return reason_against(table_.node(read), layer);
}

std::string Finder::reason_against(const onnx::NodeProto& node, const Layer& layer) const {
  int channel_axis = 0;
  if (layer.op == "Gemm") {
    if (float_attribute(node, "alpha", 1) != 1 || float_attribute(node, "beta", 1) != 1) {
      return "integer kernels take no Gemm with alpha or beta other than 1";
    }
    if (int_attribute(node, "transA", 0) != 0) return "integer kernels take no Gemm with a transposed input";
    channel_axis = int_attribute(node, "transB", 0) != 0 ? 0 : 1;
  }
  if (layer.channel_axes != std::vector<int>{channel_axis}) return "the scales do not lie along the output channels";
  if (!bias_fits(node, layer.shape[static_cast<std::size_t>(channel_axis)])) {
    return "integer kernels take a bias only where it is constant with one number per channel";
  }
  return {};
}

bool Finder::bias_fits(const onnx::NodeProto& node, std::int64_t channels) const {
  if (node.input_size() < 3 || node.input(2).empty()) return true;
  const Value* bias = value(node.input(2));
  const onnx::TensorProto* tensor = bias == nullptr ? nullptr : table_.tensor(*bias);
  return tensor != nullptr && tensor->data_type() == onnx::TensorProto::FLOAT && tensor->dims_size() == 1 &&
         tensor->dims(0) == channels;
}

bool Finder::combines(const onnx::NodeProto& node) const {
  static const std::set<std::string> kOperators = {
      "Add", "Mul", "Sigmoid", "LeakyRelu", "AveragePool", "GlobalAveragePool", "Concat"};
  if (kOperators.count(node.op_type()) == 0) return false;
  return std::none_of(node.input().begin(), node.input().end(),
                      [&](const std::string& input) { return input.empty() || constant(input); });
}

bool Finder::passes(const onnx::NodeProto& node) const {
  static const std::set<std::string> kOperators = {"Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze"};
  if (node.input_size() == 0 || constant(node.input(0)) || node.output_size() != 1) return false;
  if (node.op_type() == "MaxPool") return impl_.opset >= kMaxPoolOfBytes;
  if (node.op_type() == "Resize" || node.op_type() == "Upsample") {
    return node.op_type() == "Resize" && string_attribute(node, "mode") != "linear" &&
           string_attribute(node, "mode") != "cubic";
  }
  return kOperators.count(node.op_type()) > 0;
}

/// A Relu or Clip that alone reads the operator's output ends the unit.
std::string Finder::behind_activation(const onnx::NodeProto& node) const {
  const onnx::NodeProto* reader = only_reader(node.output(0));
  if (reader == nullptr || (reader->op_type() != "Relu" && reader->op_type() != "Clip")) return node.output(0);
  for (int i = 1; i < reader->input_size(); ++i) {
    if (!reader->input(i).empty() && !constant(reader->input(i))) return node.output(0);
  }
  return reader->input(0) == node.output(0) ? reader->output(0) : node.output(0);
}

/// ONNX Runtime puts a Pad with zeros into the Conv behind it: the unit then reads what the Pad reads.
Slot Finder::conv_input(const onnx::NodeProto& node) const {
  const Slot direct{node.output(0), 0, node.input(0)};
  const onnx::NodeProto* pad = producer(node.input(0));
  if (node.op_type() != "Conv" || pad == nullptr || pad->op_type() != "Pad" || only_reader(node.input(0)) != &node) {
    return direct;
  }
  const std::string mode = string_attribute(*pad, "mode");
  if (!mode.empty() && mode != "constant") return direct;
  if (pad->input_size() < 2 || !constant(pad->input(1))) return direct;
  if (pad->input_size() > 2 && !pad->input(2).empty()) {
    const Value* fill = value(pad->input(2));
    const onnx::TensorProto* tensor = fill == nullptr ? nullptr : table_.tensor(*fill);
    std::string scratch;
    if (tensor == nullptr) return direct;
    for (const std::byte byte : raw_bytes(*tensor, *impl_.store, scratch)) {
      if (byte != std::byte{0}) return direct;
    }
  }
  return {pad->output(0), 0, pad->input(0)};
}

IntegerUnit Finder::weighted_unit(const onnx::NodeProto& node, std::size_t layer) const {
  return {IntegerUnit::Kind::kWeighted, node.output(0), layer, {conv_input(node)}, behind_activation(node)};
}

IntegerUnit Finder::other_unit(const onnx::NodeProto& node) const {
  IntegerUnit unit;
  unit.node = node.output(0);
  unit.kind = combines(node) ? IntegerUnit::Kind::kCombining : IntegerUnit::Kind::kPassing;
  const int inputs = unit.kind == IntegerUnit::Kind::kCombining ? node.input_size() : 1;
  for (int i = 0; i < inputs; ++i) unit.reads.push_back({node.output(0), i, node.input(i)});
  unit.output = node.op_type() == "Add" ? behind_activation(node) : node.output(0);
  return unit;
}

}  // namespace

IntegerUnits integer_units(const Model& model, const std::vector<char>& wanted) { return Finder(model).run(wanted); }

}  // namespace mpq::graph
