#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "graph/drop_unread.h"
#include "graph/erase_if.h"
#include "graph/integer_operators.h"
#include "graph/model_impl.h"
#include "graph/qdq_pairs.h"
#include "graph/rename.h"
#include "graph/scopes.h"
#include "quantize/grid.h"

namespace mpq {
namespace {

using onnx::GraphProto;
using onnx::NodeProto;
using onnx::TensorProto;

/// "conv1.weight" for "conv1.weight_quantized", which is how ONNX Runtime's quantizer names it.
std::string weight_name(std::string name) {
  constexpr std::string_view kSuffix = "_quantized";
  if (name.size() > kSuffix.size() && name.ends_with(kSuffix)) name.resize(name.size() - kSuffix.size());
  return name;
}

graph::DequantizedTensor scalar(float value, int element_type) {
  const bool is_half = element_type == TensorProto::FLOAT16;
  const std::uint16_t half = quant::to_half(value);
  graph::DequantizedTensor tensor;
  tensor.tensor.set_data_type(element_type);
  tensor.bytes.resize(is_half ? sizeof half : sizeof value);
  std::memcpy(tensor.bytes.data(), is_half ? static_cast<const void*>(&half) : &value, tensor.bytes.size());
  return tensor;
}

class Dequantizer {
 public:
  Dequantizer(Model::Impl& impl, graph::TensorStore& store, std::unordered_set<std::string> perhaps_unread)
      : impl_(impl),
        store_(store),
        names_(graph::all_value_names(impl.proto)),
        perhaps_unread_(std::move(perhaps_unread)) {}

  void run(std::vector<graph::Undone> undone) {
    for (const auto& nested : graph::nested_graphs(impl_.proto)) {
      graphs_.push_back(&graph::graph_at(impl_.proto, nested.path));
    }
    aliases_.resize(graphs_.size());
    for (graph::Undone& one : undone) replace(one);
    for (std::size_t g = 0; g < graphs_.size(); ++g) pass_through(*graphs_[g], aliases_[g]);
    graph::drop_unread(impl_.proto, std::move(perhaps_unread_));
  }

 private:
  /// Before: QuantizeLinear -> DequantizeLinear -> y.   After: Identity or Clip -> y, of what was rounded.
  /// Before: constants -> DequantizeLinear -> y.        After: initializer -> Identity -> y.
  void replace(graph::Undone& undone) {
    GraphProto& graph = *graphs_[static_cast<std::size_t>(undone.graph)];
    NodeProto& node = *graph.mutable_node(undone.node);
    for (const std::string& input : node.input()) perhaps_unread_.insert(input);
    const std::string source = undone.weight ? weight_of(undone, graph, node) : undone.source;
    node.clear_input();
    node.clear_attribute();
    node.clear_domain();
    node.add_input(source);
    node.set_op_type(undone.upper ? "Clip" : "Identity");
    if (undone.upper) {
      set_bounds(graph, node, *undone.upper, undone.element_type);
    } else {
      aliases_[static_cast<std::size_t>(undone.graph)].insert(node.output(0));
    }
  }

  /// Nodes that say the same of the same constants share one initializer, as the constants were shared.
  std::string weight_of(graph::Undone& undone, GraphProto& graph, const NodeProto& node) {
    std::string key = std::to_string(undone.graph);
    for (const std::string& input : node.input()) key += '\n' + input;
    for (const auto& attribute : node.attribute()) key += '\n' + attribute.SerializeAsString();
    const auto [entry, is_new] = tensors_.try_emplace(key);
    if (is_new) entry->second = add(graph, std::move(*undone.weight), weight_name(node.input(0)));
    return entry->second;
  }

  void set_bounds(GraphProto& graph, NodeProto& node, float upper, int element_type) {
    constexpr std::int64_t kFirstOpsetWithBoundsAsInputs = 11;
    for (const auto& [name, value] : {std::pair{"min", 0.0F}, std::pair{"max", upper}}) {
      if (impl_.opset >= kFirstOpsetWithBoundsAsInputs) {
        node.add_input(add(graph, scalar(value, element_type), node.output(0) + "_" + name));
        continue;
      }
      onnx::AttributeProto& attribute = *node.add_attribute();
      attribute.set_name(name);
      attribute.set_type(onnx::AttributeProto::FLOAT);
      attribute.set_f(value);
    }
  }

  std::string add(GraphProto& graph, graph::DequantizedTensor numbers, const std::string& stem) {
    TensorProto& tensor = *graph.add_initializer();
    tensor = std::move(numbers.tensor);
    tensor.set_name(names_.take(stem));
    tensor.set_raw_data(std::move(numbers.bytes));
    std::string name = tensor.name();
    graph::move_to_store(tensor, store_);
    return name;
  }

  static bool is_alias(const NodeProto& node, const std::set<std::string>& aliases) {
    return node.op_type() == "Identity" && aliases.count(node.output(0)) > 0;
  }

  /// Before: x -> Identity -> y -> readers.   After: x -> readers. Enclosing graphs come before the bodies inside them.
  static void pass_through(GraphProto& graph, const std::set<std::string>& aliases) {
    std::set<std::string> outputs;
    for (const auto& output : graph.output()) outputs.insert(output.name());
    graph::Names passed;
    for (const NodeProto& node : graph.node()) {
      if (is_alias(node, aliases)) passed.emplace(node.output(0), node.input(0));
    }
    graph::Names names;
    for (const auto& [name, source] : passed) {
      std::string first = source;  // of a chain; it ends, as the graph has no cycle
      for (auto next = passed.find(first); next != passed.end(); next = passed.find(first)) first = next->second;
      names.emplace(name, first);
    }
    for (auto& node : *graph.mutable_node()) graph::rename(names, node, false);
    for (const std::string& output : outputs) {
      if (names.count(output) > 0) give_directly(graph, output, names.at(output), outputs);
    }
    graph::erase_if(*graph.mutable_node(), [&](const NodeProto& node) {
      return is_alias(node, aliases) && (outputs.count(node.output(0)) == 0 || node.input(0) == node.output(0));
    });
  }

  /// Before: node -> x -> Identity -> output.   After: node -> output. What is no node's, or an output itself, stays.
  static void give_directly(GraphProto& graph, const std::string& output, const std::string& x,
                            const std::set<std::string>& outputs) {
    const bool made_here = std::ranges::any_of(graph.node(), [&](const NodeProto& node) {
      return std::find(node.output().begin(), node.output().end(), x) != node.output().end();
    });
    if (!made_here || outputs.count(x) > 0) return;
    for (auto& node : *graph.mutable_node()) graph::rename({{x, output}}, node, true);
  }

  Model::Impl& impl_;
  graph::TensorStore& store_;
  graph::NamePool names_;
  std::vector<GraphProto*> graphs_;             ///< as nested_graphs() lists them
  std::vector<std::set<std::string>> aliases_;  ///< per graph: what the new Identity nodes give
  std::map<std::string, std::string> tensors_;  ///< what a DequantizeLinear says -> the initializer in its place
  std::unordered_set<std::string> perhaps_unread_;
};

}  // namespace

Dequantized dequantize(const Model& model) {
  const auto impl = std::make_shared<Model::Impl>();
  const auto store = std::make_shared<graph::TensorStore>(*model.impl().store);
  impl->proto = model.impl().proto;
  impl->opset = model.impl().opset;
  impl->store = store;
  graph::FloatOperators written = graph::write_as_float_operators(*impl);
  std::vector<graph::Undone> undone = graph::find_undone(*impl);
  if (undone.empty() && written.operators == 0) return {model};
  Dequantized result{model};
  result.activations = written.activations;
  for (const graph::Undone& one : undone) ++(one.weight ? result.weights : result.activations);
  Dequantizer(*impl, *store, std::move(written.perhaps_unread)).run(std::move(undone));
  impl->facts = model.facts();
  impl->had_external_data = model.impl().had_external_data;
  graph::complete(*impl, model.facts().path);
  result.model = Model(impl);
  return result;
}

}  // namespace mpq
