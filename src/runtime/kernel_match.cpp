#include "runtime/kernel_match.h"

#include <algorithm>
#include <regex>
#include <set>

#include "graph/layers.h"
#include "graph/types.h"
#include "graph/weight_roles.h"

namespace mpq::runtime {
namespace {

using onnx::TensorProto;

std::int64_t count_of(const TensorProto& tensor) { return graph::safe_element_count(tensor.dims()).value_or(0); }

bool is_float_type(int type) {
  return type == TensorProto::FLOAT || type == TensorProto::DOUBLE || type == TensorProto::FLOAT16 ||
         type == TensorProto::BFLOAT16;
}

/// Weights behind a constant: how many numbers the tensors hold that it is computed from, and whether it is one of
/// them itself.
struct Source {
  std::int64_t numbers = 0;
  bool direct = false;
  bool integers = false;
};

Source source_of(const graph::ValueTable& table, int value, std::set<int>& seen, bool direct) {
  if (value < 0 || !seen.insert(value).second) return {};
  const graph::Value& described = table.values()[static_cast<std::size_t>(value)];
  if (const TensorProto* tensor = table.tensor(described)) {
    const bool shapes = tensor->data_type() == TensorProto::INT64;  // axes, shapes and starts are no weights
    return {shapes ? 0 : count_of(*tensor), direct, !is_float_type(tensor->data_type())};
  }
  if (described.origin != graph::Value::Origin::kNode) return {};
  const onnx::NodeProto& node = table.graphs()[static_cast<std::size_t>(described.graph)].graph->node(described.index);
  Source sum;
  for (const std::string& input : node.input()) {
    const Source part = source_of(table, table.find(described.graph, input), seen, false);
    if (part.numbers > sum.numbers) sum.integers = part.integers;
    sum.numbers += part.numbers;
  }
  return sum;
}

/// Kernels of ONNX Runtime's own that ONNX's tables of weights do not know.
bool is_runtime_weight_operator(const onnx::NodeProto& node) {
  static const std::set<std::string> kOthers = {"QAttention", "QEmbedLayerNormalization", "QMoE", "Attention"};
  return is_integer_kernel(node.op_type()) || kOthers.count(node.op_type()) > 0;
}

/// Layouts and conversions that may stand between a kernel and the value it computes.
bool passes_on(const std::string& op) {
  static const std::set<std::string> kThrough = {"Transpose", "ReorderOutput", "ReorderInput", "DequantizeLinear",
                                                 "Cast",      "Reshape",       "Identity"};
  return kThrough.count(op) > 0;
}

/// Without what the runtime appends to keep names unique.
std::string plain(const std::string& name) {
  static const std::regex kToken("_token_[0-9]+");
  std::string result = std::regex_replace(name, kToken, "");
  for (const std::string ending : {"_nchwc", "_nhwc"}) {
    if (result.ends_with(ending)) result.resize(result.size() - ending.size());
  }
  return result;
}

bool multiplies(const onnx::NodeProto& node) {
  if (is_runtime_weight_operator(node)) return true;
  const std::string& op = node.op_type();
  if (op == "Conv" || op == "FusedGemm" || op == "FusedMatMul") return true;  // Conv: of the NCHWc domain too
  for (int i = 0; i < node.input_size(); ++i) {
    if (graph::takes_weight(node, i)) return true;
  }
  return false;
}

}  // namespace

bool is_integer_kernel(const std::string& op) {
  static const std::set<std::string> kKernels = {"QLinearConv",
                                                 "ConvInteger",
                                                 "MatMulInteger",
                                                 "QLinearMatMul",
                                                 "QGemm",
                                                 "MatMulNBits",
                                                 "DynamicQuantizeLSTM",
                                                 "MatMulIntegerToFloat",
                                                 "DynamicQuantizeMatMul",
                                                 "GatherBlockQuantized",
                                                 "QAttention",
                                                 "QEmbedLayerNormalization",
                                                 "QMoE"};
  return kKernels.count(op) > 0;
}

std::vector<WeightNode> weight_nodes(const onnx::ModelProto& model, const graph::ValueTable& table) {
  std::set<std::pair<std::string, std::string>> functions;
  // mpq's own that are not constant round activations or scale rows that were looked up.
  for (const auto& function : model.functions()) {
    if (function.domain() != graph::kFunctionDomain) functions.emplace(function.domain(), function.name());
  }
  std::vector<WeightNode> result;
  for (int g = 0; g < static_cast<int>(table.graphs().size()); ++g) {
    const onnx::GraphProto& graph = *table.graphs()[static_cast<std::size_t>(g)].graph;
    for (int n = 0; n < graph.node_size(); ++n) {
      const onnx::NodeProto& node = graph.node(n);
      if (table.constant_node(g, n)) continue;
      const bool any_input = is_runtime_weight_operator(node) || functions.count({node.domain(), node.op_type()}) > 0;
      for (int i = 0; i < node.input_size(); ++i) {
        if (!any_input && !graph::takes_weight(node, i)) continue;
        const int value = table.find(g, node.input(i));
        if (value < 0 || !table.values()[static_cast<std::size_t>(value)].constant) continue;
        std::set<int> seen;
        const Source source = source_of(table, value, seen, true);
        if (source.numbers < graph::kFewWeights) continue;
        result.push_back({g, n, source.integers || !source.direct});
        break;
      }
    }
  }
  return result;
}

OptimizedGraph::OptimizedGraph(const onnx::ModelProto& model) { add(model.graph()); }

void OptimizedGraph::add(const onnx::GraphProto& graph) {
  for (const TensorProto& tensor : graph.initializer()) {
    stored_[tensor.name()] = &tensor;
    constants_.insert(tensor.name());
  }
  for (const onnx::NodeProto& node : graph.node()) {
    nodes_.push_back(&node);
    for (const std::string& output : node.output()) producers_[output] = &node;
    bool constant = node.op_type() != "If" && node.op_type() != "Loop" && node.op_type() != "Scan";
    for (const std::string& input : node.input()) constant = constant && (input.empty() || constants_.count(input) > 0);
    for (const std::string& output : node.output()) {
      if (constant) constants_.insert(output);
    }
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_g()) add(attribute.g());
    }
  }
  // NCHWc kernels are named after the value they compute, and their outputs are not.
  for (const onnx::NodeProto& node : graph.node()) producers_.emplace(plain(node.name()), &node);
}

const onnx::NodeProto* OptimizedGraph::producer(const std::string& value) const {
  const auto found = producers_.find(value);
  return found == producers_.end() ? nullptr : found->second;
}

const onnx::NodeProto* OptimizedGraph::tagged(const std::string& tag) const {
  for (const onnx::NodeProto* node : nodes_) {
    if (node->name().find(tag) != std::string::npos && multiplies(*node)) return node;
  }
  return nullptr;
}

const onnx::NodeProto* OptimizedGraph::kernel_of(const std::string& value) const {
  constexpr int kFar = 8;
  const onnx::NodeProto* node = producer(value);
  for (int step = 0; node != nullptr && step < kFar; ++step) {
    if (multiplies(*node)) return node;
    if (!passes_on(node->op_type()) || node->input_size() == 0) return nullptr;
    node = producer(node->input(0));
  }
  return nullptr;
}

std::vector<const onnx::NodeProto*> OptimizedGraph::constants_computed_for(const onnx::NodeProto& kernel) const {
  std::vector<const onnx::NodeProto*> result;
  std::vector<std::string> open(kernel.input().begin(), kernel.input().end());
  std::unordered_set<std::string> seen;
  while (!open.empty()) {
    const std::string value = open.back();
    open.pop_back();
    if (value.empty() || constants_.count(value) == 0 || stored_.count(value) > 0 || !seen.insert(value).second)
      continue;
    const onnx::NodeProto* node = producer(value);
    if (node == nullptr) continue;
    result.push_back(node);
    open.insert(open.end(), node->input().begin(), node->input().end());
  }
  return result;
}

bool OptimizedGraph::reads_stored_integers(const onnx::NodeProto& kernel, std::int64_t least) const {
  return std::any_of(kernel.input().begin(), kernel.input().end(), [&](const std::string& input) {
    const auto found = stored_.find(input);
    if (found == stored_.end() || is_float_type(found->second->data_type())) return false;
    return found->second->data_type() != TensorProto::INT64 && count_of(*found->second) >= least;
  });
}

}  // namespace mpq::runtime
