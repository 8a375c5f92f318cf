#include "graph/fold_channels.h"

#include <cmath>
#include <cstring>
#include <optional>
#include <set>
#include <unordered_set>
#include <utility>

#include "graph/drop_unread.h"
#include "graph/erase_if.h"
#include "graph/replace_numbers.h"
#include "graph/scopes.h"
#include "graph/values.h"
#include "graph/weight_roles.h"

namespace mpq::graph {

namespace {

using onnx::NodeProto;
using onnx::TensorProto;
using Numbers = std::vector<double>;  // per channel

/// A Conv and the nodes behind it, which together compute factor * conv(x) + offset, bias included.
struct Chain {
  int conv = 0;
  std::vector<int> nodes;
  Numbers factor, offset;
};

/// Of a float32 tensor.
std::vector<float> floats_of(const TensorProto& tensor, const TensorStore& store) {
  std::string scratch;
  const auto bytes = raw_bytes(tensor, store, scratch);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

class Finder {
 public:
  Finder(const onnx::ModelProto& model, const TensorStore& store)
      : store_(store), graph_(model.graph()), table_(model, false) {}

  std::vector<Chain> run() const {
    std::vector<Chain> chains;
    for (int n = 0; n < graph_.node_size(); ++n) {
      auto chain = start(n);
      if (!chain) continue;
      while (const NodeProto* node = reader(*chain)) {
        if (!take(*node, *chain)) break;
        chain->nodes.push_back(table_.values()[value_of(result(*chain))].reads[0].node);
      }
      if (!chain->nodes.empty()) chains.push_back(*std::move(chain));
    }
    return chains;
  }

 private:
  std::size_t value_of(const std::string& name) const { return static_cast<std::size_t>(table_.find(0, name)); }
  const std::string& result(const Chain& chain) const {
    return graph_.node(chain.nodes.empty() ? chain.conv : chain.nodes.back()).output(0);
  }

  /// The float32 tensor a name stands for; empty for what is computed, may be given by the caller, or is another type.
  std::optional<std::vector<float>> numbers(const std::string& name) const {
    const int found = table_.find(0, name);
    if (found < 0 || table_.values()[static_cast<std::size_t>(found)].listed_as_input) return std::nullopt;
    const TensorProto* tensor = table_.tensor(table_.values()[static_cast<std::size_t>(found)]);
    if (tensor == nullptr || tensor->data_type() != TensorProto::FLOAT) return std::nullopt;
    return floats_of(*tensor, store_);
  }

  std::optional<Chain> start(int n) const {
    const NodeProto& node = graph_.node(n);
    if (node.op_type() != "Conv" || !(node.domain().empty() || node.domain() == "ai.onnx")) return std::nullopt;
    const int weight = table_.find(0, node.input(1));
    if (weight < 0) return std::nullopt;
    const Value& value = table_.values()[static_cast<std::size_t>(weight)];
    if (value.reads.size() != 1 || value.graph_output || value.graph != 0 || !numbers(node.input(1)))
      return std::nullopt;
    const auto channels = static_cast<std::size_t>(table_.tensor(value)->dims(0));
    Chain chain{n, {}, Numbers(channels, 1), Numbers(channels, 0)};
    if (node.input_size() < 3 || node.input(2).empty()) return chain;
    const auto bias = numbers(node.input(2));
    if (!bias || bias->size() != channels) return std::nullopt;
    chain.offset.assign(bias->begin(), bias->end());
    return chain;
  }

  /// The one node that reads what the chain gives.
  const NodeProto* reader(const Chain& chain) const {
    const Value& value = table_.values()[value_of(result(chain))];
    if (value.graph_output || value.reads.size() != 1 || value.reads[0].graph != 0) return nullptr;
    const NodeProto& node = table_.node(value.reads[0]);
    return node.domain().empty() || node.domain() == "ai.onnx" ? &node : nullptr;
  }

  bool take(const NodeProto& node, Chain& chain) const {
    if (node.op_type() == "BatchNormalization") return take_normalisation(node, chain);
    static const std::set<std::string> kArithmetic = {"Add", "Sub", "Mul", "Div"};
    if (kArithmetic.count(node.op_type()) == 0 || node.input_size() != 2) return false;
    const bool first = node.input(0) == result(chain);
    if (!first && (node.op_type() == "Sub" || node.op_type() == "Div")) return false;
    const auto other = per_channel(node.input(first ? 1 : 0), chain);
    if (!other) return false;
    for (std::size_t c = 0; c < chain.factor.size(); ++c) {
      const double number = (*other)[other->size() == 1 ? 0 : c];
      if (node.op_type() == "Add") chain.offset[c] += number;
      if (node.op_type() == "Sub") chain.offset[c] -= number;
      const double scale = node.op_type() == "Mul" ? number : node.op_type() == "Div" ? 1 / number : 1;
      chain.factor[c] *= scale;
      chain.offset[c] *= scale;
    }
    return true;
  }

  /// y = (x - mean) / sqrt(variance + epsilon) * scale + bias (ONNX operator specification, BatchNormalization-15).
  bool take_normalisation(const NodeProto& node, Chain& chain) const {
    if (node.input_size() != 5 || node.output_size() != 1 || node.input(0) != result(chain) ||
        int_attribute(node, "training_mode", 0) != 0 || int_attribute(node, "spatial", 1) != 1)
      return false;
    std::vector<std::vector<float>> constants;
    for (int input = 1; input < 5; ++input) {
      auto found = numbers(node.input(input));
      if (!found || found->size() != chain.factor.size()) return false;
      constants.push_back(*std::move(found));
    }
    const auto epsilon = static_cast<double>(float_attribute(node, "epsilon", 1e-5F));
    for (std::size_t c = 0; c < chain.factor.size(); ++c) {
      const double scale = constants[0][c] / std::sqrt(constants[3][c] + epsilon);
      chain.factor[c] *= scale;
      chain.offset[c] = (chain.offset[c] - constants[2][c]) * scale + constants[1][c];
    }
    return true;
  }

  /// One number, or one per channel: [C, 1, ..., 1] with or without a 1 in front.
  std::optional<std::vector<float>> per_channel(const std::string& name, const Chain& chain) const {
    auto values = numbers(name);
    if (!values) return std::nullopt;
    const auto& weight = *table_.tensor(table_.values()[value_of(graph_.node(chain.conv).input(1))]);
    const auto& tensor = *table_.tensor(table_.values()[value_of(name)]);
    if (tensor.dims_size() > weight.dims_size()) return std::nullopt;
    const int channel_axis = tensor.dims_size() - weight.dims_size() + 1;
    for (int i = 0; i < tensor.dims_size(); ++i) {
      const bool fits = tensor.dims(i) == 1 || (i == channel_axis && tensor.dims(i) == weight.dims(0));
      if (!fits) return std::nullopt;
    }
    return values->empty() ? std::nullopt : values;
  }

  const TensorStore& store_;
  const onnx::GraphProto& graph_;
  ValueTable table_;
};

/// A scale of zero would be lost to integers.
bool sound(const Chain& chain) {
  const auto finite = [](double number) {
    return std::isfinite(static_cast<float>(number)) && std::abs(number) < 1e30;
  };
  const auto lasting = [](double factor) { return std::abs(factor) > 1e-30; };
  return std::ranges::all_of(chain.factor, finite) && std::ranges::all_of(chain.factor, lasting) &&
         std::ranges::all_of(chain.offset, finite);
}

void add_tensor(onnx::GraphProto& graph, const std::string& name, const std::vector<std::int64_t>& dims,
                const std::vector<float>& numbers, TensorStore& store) {
  TensorProto& tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(TensorProto::FLOAT);
  for (const std::int64_t extent : dims) tensor.add_dims(extent);
  tensor.set_raw_data(numbers.data(), numbers.size() * sizeof(float));
  move_to_store(tensor, store);
}

void scale_weight(onnx::ModelProto& model, TensorStore& store, const std::string& name, const Numbers& factor) {
  std::vector<float> numbers = read_numbers(model, store, name);
  const std::size_t inner = numbers.size() / factor.size();
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = static_cast<float>(static_cast<double>(numbers[i]) * factor[i / inner]);
  replace_numbers(model, store, name, numbers);
}

}  // namespace

std::vector<ChannelFold> fold_channels(onnx::ModelProto& model, TensorStore& store) {
  std::vector<Chain> chains = Finder(model, store).run();
  std::erase_if(chains, [](const Chain& chain) { return !sound(chain); });
  onnx::GraphProto& graph = *model.mutable_graph();
  NamePool names(all_value_names(model));
  std::unordered_set<std::string> perhaps_unread;
  std::set<std::string> gone;  // by first output
  std::vector<ChannelFold> folds;
  std::vector<Numbers> factors;
  for (const Chain& chain : chains) {
    NodeProto& conv = *graph.mutable_node(chain.conv);
    for (const int n : chain.nodes) {
      perhaps_unread.insert(graph.node(n).input().begin(), graph.node(n).input().end());
      gone.insert(graph.node(n).output(0));
    }
    if (conv.input_size() > 2) perhaps_unread.insert(conv.input(2));
    while (conv.input_size() < 3) conv.add_input("");
    ChannelFold& fold = folds.emplace_back();
    fold.weight = conv.input(1);
    fold.factors.assign(chain.factor.begin(), chain.factor.end());
    fold.bias = names.take(fold.weight + "_bias");
    conv.set_input(2, fold.bias);
    add_tensor(graph, fold.bias, {static_cast<std::int64_t>(chain.offset.size())},
               std::vector<float>(chain.offset.begin(), chain.offset.end()), store);
    factors.push_back(chain.factor);
  }
  std::vector<std::string> outputs;  // what the convolutions give from now on
  for (const Chain& chain : chains) outputs.push_back(graph.node(chain.nodes.back()).output(0));
  for (std::size_t i = 0; i < chains.size(); ++i) {
    NodeProto& conv = *graph.mutable_node(chains[i].conv);
    perhaps_unread.insert(conv.output(0));
    conv.set_output(0, outputs[i]);
  }
  const auto folded_away = [&](const NodeProto& node) {
    return node.op_type() != "Conv" && node.output_size() > 0 && gone.count(node.output(0)) > 0;
  };
  erase_if(*graph.mutable_node(), folded_away);
  for (std::size_t i = 0; i < folds.size(); ++i) scale_weight(model, store, folds[i].weight, factors[i]);
  drop_unread(model, std::move(perhaps_unread));
  return folds;
}

}  // namespace mpq::graph
