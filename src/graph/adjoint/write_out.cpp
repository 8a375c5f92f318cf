#include "graph/adjoint/write_out.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include <onnx/defs/schema.h>
#include <onnx/inliner/inliner.h>

#include "graph/adjoint/contrib.h"
#include "graph/adjoint/rule.h"
#include "graph/adjoint/unroll.h"
#include "graph/operator_checks.h"
#include "graph/run_index.h"

namespace mpq::graph::adjoint {

namespace {

const onnx::OpSchema* schema_with_body(const std::string& op, int version) {
  const onnx::OpSchema* schema = onnx::OpSchemaRegistry::Schema(op, version);
  const bool has_body = schema != nullptr && (schema->HasFunction() || schema->HasContextDependentFunction());
  return has_body ? schema : nullptr;
}

/// Bodies refer to attributes, and the inliner knows no defaults.
void add_defaults(const onnx::OpSchema& schema, onnx::NodeProto& node) {
  for (const auto& [name, attribute] : schema.attributes()) {
    const bool given = std::any_of(node.attribute().begin(), node.attribute().end(),
                                   [&name = name](const onnx::AttributeProto& known) { return known.name() == name; });
    if (!given && attribute.default_value.has_name()) *node.add_attribute() = attribute.default_value;
  }
}

/// Operators of ONNX's own set that have a body and no rule; their nodes get all attributes.
std::set<std::string> without_rules(onnx::ModelProto& model) {
  int version = 0;
  for (const auto& set : model.opset_import()) {
    if (is_default_domain(set.domain())) version = static_cast<int>(set.version());
  }
  std::set<std::string> found;
  for (auto& node : *model.mutable_graph()->mutable_node()) {
    const std::string& op = node.op_type();
    if (!is_default_domain(node.domain()) || rules().count(op) > 0 || locally_constant(op)) continue;
    const onnx::OpSchema* schema = schema_with_body(op, version);
    if (schema == nullptr) continue;
    add_defaults(*schema, node);
    found.insert(op);
  }
  return found;
}

template <typename Change>
bool changed(onnx::ModelProto& model, const Change& change) {
  onnx::ModelProto written = model;
  try {
    change(written);
  } catch (const std::exception&) {
    return false;  // the adjoint stops at what is left, and says so
  }
  model.Swap(&written);
  return true;
}

}  // namespace

bool write_out_calls(onnx::ModelProto& model) {
  if (model.functions_size() == 0) return false;
  return changed(model, [](onnx::ModelProto& written) { onnx::inliner::InlineLocalFunctions(written); });
}

bool write_out_operators(onnx::ModelProto& model) {
  const std::set<std::string> operators = without_rules(model);
  if (operators.empty()) return false;
  onnx::inliner::FunctionIdVector ids;
  for (const std::string& op : operators) ids.emplace_back("", op);
  const auto chosen = onnx::inliner::FunctionIdSet::Create(std::move(ids));
  return changed(model,
                 [&](onnx::ModelProto& written) { onnx::inliner::InlineSelectedFunctions(written, *chosen, nullptr); });
}

RunForm written_out(const RunForm& form, const FactsMap& facts) {
  const auto& nodes = form.model.graph().node();
  const auto can_write = [&](const onnx::NodeProto& node) {
    return can_unroll(node, facts) || can_write_contrib(node, facts);
  };
  if (std::none_of(nodes.begin(), nodes.end(), can_write)) return form;
  RunForm result = form;
  onnx::GraphProto& graph = *result.model.mutable_graph();
  graph.clear_node();
  Builder builder(graph, facts, 1);
  for (const onnx::NodeProto& node : nodes) {
    if (!can_write(node)) {
      *graph.add_node() = node;
      continue;
    }
    const bool recurrent = can_unroll(node, facts);
    const std::vector<std::string> values = recurrent ? unroll(node, builder) : write_contrib(node, builder);
    for (int i = 0; i < std::min<int>(node.output_size(), static_cast<int>(values.size())); ++i) {
      const std::string& value = values[static_cast<std::size_t>(i)];
      if (node.output(i).empty() || value.empty()) continue;
      builder.emit("Identity", {value});
      builder.last_node().set_output(0, node.output(i));
    }
  }
  result.index = std::make_shared<RunIndex>(result.model);
  return result;
}

}  // namespace mpq::graph::adjoint
