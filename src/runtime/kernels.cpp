#include "mpq/kernels.h"

#include <algorithm>
#include <map>
#include <set>

#include "mpq/error.h"

#include "graph/layers.h"
#include "graph/model_impl.h"
#include "graph/scopes.h"
#include "graph/values.h"
#include "runtime/kernel_match.h"
#include "runtime/optimized.h"
#include "runtime/session.h"

// How a node of the file is found again in the graph the runtime runs: it carries a tag in its name, which fusions of
// quantized operators and matrix products keep; where the name is lost (NCHWc convolutions are named after what they
// compute), the values behind the node are followed until the runtime's graph has one of them.

namespace mpq {

void KernelOptions::validate() const {
  if (threads < 1) {
    throw Error(ErrorCode::kUsage, "Kernels are timed with at least one thread, not " + std::to_string(threads) + ".",
                "threads");
  }
  if (runs < 0) {
    throw Error(ErrorCode::kUsage, "The number of runs is " + std::to_string(runs) + "; it cannot be negative.",
                "runs");
  }
}

const char* to_string(KernelForm form) {
  switch (form) {
    case KernelForm::kFloat:
      return "float";
    case KernelForm::kFolded:
      return "folded to float";
    case KernelForm::kInteger:
      return "integer";
    case KernelForm::kDequantized:
      return "dequantized at every run";
    case KernelForm::kUnknown:
      break;
  }
  return "unknown";
}

namespace runtime {
namespace {

std::string tag_of(std::size_t index) { return "@mpq" + std::to_string(index) + "@"; }

/// The model with a tag for the name of every weight node.
onnx::ModelProto tagged_model(const onnx::ModelProto& model, const graph::ValueTable& table,
                              const std::vector<WeightNode>& nodes) {
  onnx::ModelProto result = model;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto graph = static_cast<std::size_t>(nodes[i].graph);
    graph::graph_at(result, table.graphs()[graph].path).mutable_node(nodes[i].node)->set_name(tag_of(i));
  }
  return result;
}

/// The kernel of a node whose name was lost: the first among the values behind it that the runtime's graph knows.
const onnx::NodeProto* follow(const graph::ValueTable& table, const OptimizedGraph& optimized,
                              const graph::Read& start) {
  constexpr std::size_t kMost = 24;
  std::vector<std::pair<int, std::string>> open;
  for (const std::string& output : table.node(start).output()) open.emplace_back(start.graph, output);
  std::set<int> seen;
  for (std::size_t next = 0; next < open.size() && next < kMost; ++next) {
    const auto [graph, name] = open[next];
    if (const onnx::NodeProto* kernel = optimized.kernel_of(name)) return kernel;
    const int value = table.find(graph, name);
    if (value < 0 || !seen.insert(value).second) continue;
    for (const graph::Read& read : table.values()[static_cast<std::size_t>(value)].reads) {
      for (const std::string& output : table.node(read).output()) open.emplace_back(read.graph, output);
    }
  }
  return nullptr;
}

std::string reason_for(const LayerKernel& layer, const std::vector<const onnx::NodeProto*>& computed) {
  if (layer.form == KernelForm::kDequantized) {
    return "No kernel takes the " + computed.front()->op_type() +
           " of its weight in, and constants behind it are not " + "folded, so it runs every time.";
  }
  if (layer.form == KernelForm::kInteger && !layer.quantized) {
    return "ONNX Runtime quantized the float weight itself, because it stands between dequantized and quantized "
           "values.";
  }
  if (layer.form == KernelForm::kUnknown) return "The optimized graph shows no kernel for it.";
  return {};
}

void classify(const OptimizedGraph& optimized, const onnx::NodeProto* kernel, LayerKernel& layer,
              std::vector<const onnx::NodeProto*>& computed) {
  if (kernel != nullptr) {
    layer.kernel = kernel->op_type();
    computed = optimized.constants_computed_for(*kernel);
    if (!computed.empty()) {
      layer.form = KernelForm::kDequantized;
    } else if (is_integer_kernel(layer.kernel) || optimized.reads_stored_integers(*kernel, graph::kFewWeights)) {
      layer.form = KernelForm::kInteger;
    } else {
      layer.form = layer.quantized ? KernelForm::kFolded : KernelForm::kFloat;
    }
  }
  layer.reason = reason_for(layer, computed);
}

double time_of(const OptimizedModel& optimized, const onnx::NodeProto& node) {
  const auto found = optimized.times.find(node.name());
  return found == optimized.times.end() || node.name().empty() ? 0 : found->second.microseconds;
}

}  // namespace
}  // namespace runtime

KernelReport inspect_kernels(const Model& model, const Samples& samples, const KernelOptions& options) {
  options.validate();
  const Model::Impl& impl = model.impl();
  const graph::ValueTable table(impl.proto, true);
  const std::vector<runtime::WeightNode> nodes = runtime::weight_nodes(impl.proto, table);
  std::vector<std::vector<std::string>> labels;
  for (const auto& nested : table.graphs()) labels.push_back(graph::node_labels(*nested.graph));

  std::vector<Feed> feeds;
  for (std::size_t i = 0; i < samples.size(); ++i) feeds.push_back(samples[i]);
  const int runs = feeds.empty() ? 0 : options.runs;
  const runtime::OptimizedModel measured = runtime::optimized_model(runtime::tagged_model(impl.proto, table, nodes),
                                                                    *impl.store, feeds, options.threads, runs);
  const runtime::OptimizedGraph optimized(measured.model);

  KernelReport report;
  report.runtime = runtime::runtime_version();
  report.threads = options.threads;
  report.microseconds = measured.microseconds;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const graph::Read at{nodes[i].graph, nodes[i].node, 0};
    LayerKernel layer;
    layer.node = labels[static_cast<std::size_t>(at.graph)][static_cast<std::size_t>(at.node)];
    layer.graph = table.graphs()[static_cast<std::size_t>(at.graph)].path;
    layer.op = table.node(at).op_type();
    layer.quantized = nodes[i].quantized;
    const onnx::NodeProto* kernel = optimized.tagged(runtime::tag_of(i));
    if (kernel == nullptr) kernel = runtime::follow(table, optimized, at);
    std::vector<const onnx::NodeProto*> computed;
    runtime::classify(optimized, kernel, layer, computed);
    if (kernel != nullptr) layer.microseconds = runtime::time_of(measured, *kernel);
    for (const onnx::NodeProto* node : computed) layer.microseconds += runtime::time_of(measured, *node);
    report.layers.push_back(std::move(layer));
  }
  std::map<std::string, double> operators;
  for (const auto& [name, time] : measured.times) operators[time.op] += time.microseconds;
  report.operators.assign(operators.begin(), operators.end());
  std::stable_sort(report.operators.begin(), report.operators.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return report;
}

}  // namespace mpq
