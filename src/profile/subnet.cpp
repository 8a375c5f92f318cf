#include "profile/subnet.h"

#include <algorithm>

#include "mpq/error.h"

#include "encode/encode.h"
#include "encode/static_form.h"
#include "graph/run_index.h"
#include "graph/subnet.h"

namespace mpq::profiling {
namespace {

/// What is known of a tensor at every run: extents that vary are -1.
ValueInfo value_info(const BoundaryTensor& tensor) {
  ValueInfo info;
  info.name = tensor.name;
  info.dtype = tensor.dtype;
  // Before the network has run once, no extents may mean that even their number is not known; and the runtime must not
  // be told that a value is a scalar when it is not (1.32 crashes in a fusion).
  info.has_rank = !tensor.shape.empty();
  info.shape = tensor.shape;
  info.symbols = tensor.symbols;
  for (std::size_t i = 0; i < info.shape.size(); ++i) {
    if (info.symbols[i].empty()) continue;
    info.shape[i] = -1;
    if (info.symbols[i] == "?") info.symbols[i].clear();
  }
  return info;
}

}  // namespace

CuttableModel::CuttableModel(const Model& model, const Profile& profile) : form_(graph::run_form(model)) {
  cuts_.tensors = profile.tensors;
  cuts_.segments = profile.segments;
  for (const BoundaryTensor& tensor : profile.tensors) {
    if (form_.index->find(tensor.name) < 0) {
      throw Error(ErrorCode::kInvalidInput,
                  "The model has no value \"" + tensor.name + "\", at which the profile cuts the network.",
                  model.facts().path, "Profile this model, or give the model that the profile was made of.");
    }
    types_.emplace(tensor.name, value_info(tensor));
  }
}

onnx::ModelProto CuttableModel::cut(const std::vector<int>& segments) const {
  const auto names = [&](const std::vector<int>& positions) {
    std::vector<std::string> result;
    for (const int position : positions) result.push_back(cuts_.tensors.at(static_cast<std::size_t>(position)).name);
    return result;
  };
  const SubnetBoundary boundary = subnet_boundary(cuts_, segments);
  const std::vector<std::string> inputs = names(boundary.inputs);
  onnx::ModelProto part = graph::subnet(form_, inputs, names(boundary.outputs), types_);
  round_inputs(inputs, *part.mutable_graph());
  return part;
}

/// Before: v (computed behind a Round8bit elsewhere) -> QLinearConv's Conv.   After: v -> Round8bit -> Conv.
void CuttableModel::round_inputs(const std::vector<std::string>& inputs, onnx::GraphProto& graph) const {
  std::vector<onnx::NodeProto> rounds;
  std::map<std::string, std::string> rounded;
  for (const std::string& input : inputs) {
    const int producer = form_.index->value(form_.index->find(input)).producer;
    if (producer < 0 || !encode::rounds_activation(form_.model.graph().node(producer))) continue;
    onnx::NodeProto& node = rounds.emplace_back(form_.model.graph().node(producer));
    node.set_input(0, input);
    node.set_output(0, rounded[input] = input + ".rounded");
  }
  if (rounds.empty()) return;
  for (const onnx::NodeProto& node : graph.node()) {
    for (std::string& read : *rounds.emplace_back(node).mutable_input()) {
      const auto found = rounded.find(read);
      if (found != rounded.end()) read = found->second;
    }
  }
  graph.mutable_node()->Assign(rounds.begin(), rounds.end());
}

runtime::Session CuttableModel::session(const std::vector<int>& segments, const Processor& processor,
                                        const std::string& precision) const {
  return {cut(segments), *form_.store, session_options(processor, precision)};
}

runtime::SessionOptions session_options(const Processor& processor, const std::string& precision) {
  runtime::SessionOptions options;
  options.provider = processor.provider;
  options.device = processor.device;
  options.precision = precision;
  options.cores = processor.cores;
  options.threads = std::max(1, static_cast<int>(processor.cores.size()));
  options.fast = true;
  options.slowdown = processor.slowdown;
  return options;
}

std::vector<int> calling_cores(const Processor& processor) {
  if (processor.provider != "cpu" || processor.cores.empty()) return processor.cores;
  return {processor.cores.front()};
}

Variant at_precision(const Model& model, const std::string& precision, const PlanWriter& write) {
  if (precision != "int8" && precision != "int4") return {model, {}};
  Plan plan;
  plan.model = model.facts();
  plan.uniform = true;
  const int bits = precision == "int8" ? 8 : 4;
  for (const Layer& layer : model.layers()) {
    if (!layer.quantizable()) continue;
    PlanEntry entry;
    entry.layer = layer.name;
    entry.candidate = encode::candidates_for(layer, {bits}, {"grid"}).front();
    entry.parameters = layer.parameters;
    plan.entries.push_back(std::move(entry));
  }
  const QuantizedModel written = write(plan);
  Variant variant{written.model(), {}};
  for (const WrittenLayer& layer : written.layers()) {
    if (layer.run_form.find("kernel") != std::string::npos) variant.kernels[layer.layer] = layer.run_form;
  }
  return variant;
}

std::set<std::string> values_to_round(const onnx::ModelProto& model) {
  std::set<std::string> values;
  for (const onnx::NodeProto& node : model.graph().node()) {
    if (encode::rounds_activation(node)) values.insert(node.input(0));
  }
  return values;
}

std::set<std::string> rounded_values(const onnx::ModelProto& model) {
  std::set<std::string> values;
  for (const onnx::NodeProto& node : model.graph().node()) {
    if (encode::rounds_activation(node)) values.insert(node.output(0));
  }
  return values;
}

}  // namespace mpq::profiling
