#include "encode/integer_site.h"

#include <algorithm>

#include "mpq/error.h"

#include "graph/integer_units.h"
#include "graph/scale_inputs.h"
#include "graph/values.h"
#include "graph/weight_roles.h"

namespace mpq::encode {

namespace {

IntegerSite no(const std::string& reason) { return {false, false, reason}; }

/// ONNX Runtime takes the bias into the fused kernel when it is a constant of one number per column.
bool bias_fits(const graph::ValueTable& table, const onnx::NodeProto& gemm, std::int64_t columns) {
  if (gemm.input_size() < 3 || gemm.input(2).empty()) return true;
  const int found = table.find(0, gemm.input(2));
  if (found < 0) return false;
  const onnx::TensorProto* bias = table.tensor(table.values()[static_cast<std::size_t>(found)]);
  return bias != nullptr && bias->dims_size() == 1 && bias->dims(0) == columns;
}

IntegerSite gemm_site(const graph::ValueTable& table, const onnx::NodeProto& node, const Layer& layer) {
  if (graph::float_attribute(node, "alpha", 1) != 1 || graph::float_attribute(node, "beta", 1) != 1) {
    return no("integer kernels take no Gemm with alpha or beta other than 1");
  }
  if (graph::int_attribute(node, "transA", 0) != 0) return no("integer kernels take no Gemm with a transposed input");
  const bool transposed = graph::int_attribute(node, "transB", 0) != 0;
  if (!bias_fits(table, node, layer.shape[transposed ? 0 : 1])) {
    return no("integer kernels take a bias only where it is constant with one number per column");
  }
  return {true, transposed, {}};
}

IntegerSite lookup_site(const onnx::NodeProto& node, const Layer& layer) {
  const bool by_row = layer.shape[0] > 1 && layer.channel_axes == std::vector<int>{0};
  if (!by_row || graph::int_attribute(node, "axis", 0) != 0) {
    return no("integers are looked up by rows that have scales of their own only");
  }
  IntegerSite site{true, false, {}};
  site.lookup = true;
  return site;
}

IntegerSite site_of(const graph::ValueTable& table, const Layer& layer, const WeightSite& site, std::int64_t opset) {
  if (opset < graph::kScalePerChannel) {
    return no("integer kernels need a scale per channel, which opset " + std::to_string(opset) + " lacks (13 has it)");
  }
  const bool is_lookup = layer.op == "Gather";
  if (layer.op != "MatMul" && layer.op != "Gemm" && !is_lookup) {
    return no("no integer kernel runs " + layer.op + " with float activations");
  }
  if (layer.dtype != "float32")
    return no("integer kernels take float32 models only, and this weight is " + layer.dtype);
  if (layer.shape.size() != 2) return no("integer kernels take weights of two axes only");
  if (!site.graph.empty()) return no("the weight lies inside a subgraph");
  const int found = table.find(0, site.tensor);
  if (found < 0) return no("the weight is not read directly");
  const graph::Value& value = table.values()[static_cast<std::size_t>(found)];
  if (value.reads.size() != 1 || value.graph_output) return no("the weight has more than one reader");
  const graph::Read& read = value.reads[0];
  const onnx::NodeProto& node = table.node(read);
  if (read.graph != 0 || read.input != (is_lookup ? 0 : 1) || node.op_type() != layer.op) {
    return no("the weight does not enter the operator directly");
  }
  if (is_lookup) return lookup_site(node, layer);
  IntegerSite result = layer.op == "Gemm" ? gemm_site(table, node, layer) : IntegerSite{true, false, {}};
  result.equalized = graph::is_scaled_input(table, node.input(0));
  if (result.possible && layer.channel_axes != std::vector<int>{result.transposed ? 0 : 1}) {
    return no("the scales do not lie along the product's columns");
  }
  return result;
}

}  // namespace

std::vector<IntegerSite> integer_sites(const Model& model) {
  const Model::Impl& impl = model.impl();
  const graph::ValueTable table(impl.proto, false);
  std::vector<IntegerSite> sites;
  for (std::size_t i = 0; i < impl.layers.size(); ++i) {
    sites.push_back(site_of(table, impl.layers[i], impl.sites[i], impl.opset));
  }
  return sites;
}

bool takes_dynamic_input(const Layer& layer, const IntegerSite& site, const Candidate& candidate) {
  return layer.op == "MatMul" && site.possible && !site.activations && candidate.has_scales() && candidate.block == 0;
}

std::vector<IntegerSite> float_sites(const Model& model) {
  return std::vector<IntegerSite>(model.layers().size(), IntegerSite{});
}

void clear_transposition(onnx::GraphProto& graph, const std::string& weight) {
  for (onnx::NodeProto& node : *graph.mutable_node()) {
    if (node.input_size() < 2 || node.input(1) != weight) continue;
    auto& attributes = *node.mutable_attribute();
    const auto found = std::find_if(attributes.begin(), attributes.end(),
                                    [](const onnx::AttributeProto& attribute) { return attribute.name() == "transB"; });
    if (found == attributes.end()) continue;
    attributes.erase(found);  // absent means 0
    return;
  }
  throw Error(ErrorCode::kInternal, "No Gemm with transB reads the weight '" + weight + "'.");
}

}  // namespace mpq::encode
