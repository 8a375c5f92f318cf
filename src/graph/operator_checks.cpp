#include "graph/operator_checks.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

#include <onnx/checker.h>
#include <onnx/defs/schema.h>

#include "graph/wording.h"

namespace mpq::graph {

namespace {

/// Domains ONNX Runtime imports by itself when a model does not.
constexpr std::array<std::string_view, 9> kRuntimeDomains = {
    "ai.onnx.ml",        "ai.onnx.training",     "ai.onnx.preview.training",
    "com.microsoft",     "com.microsoft.nchwc",  "com.microsoft.experimental",
    "com.microsoft.dml", "com.ms.internal.nhwc", "org.pytorch.aten"};

bool runtime_domain(const std::string& domain) {
  return std::find(kRuntimeDomains.begin(), kRuntimeDomains.end(), domain) != kRuntimeDomains.end();
}

/// Operators of the default domain that only ONNX Runtime defines.
constexpr std::array<std::string_view, 9> kRuntimeOperators = {
    "Affine",          "Crop",        "DynamicSlice",
    "GivenTensorFill", "ImageScaler", "ParametricSoftplus",
    "Scale",           "ScaledTanh",  "SimplifiedLayerNormalization"};

std::string canonical(const std::string& domain) { return is_default_domain(domain) ? std::string() : domain; }

/// The first line of one of ONNX's messages, without a full stop.
std::string first_line(const std::string& message) {
  std::string line = message.substr(0, message.find('\n'));
  while (!line.empty() && (line.back() == '.' || line.back() == ' ')) line.pop_back();
  return printable(line.substr(0, 300));
}

}  // namespace

bool is_default_domain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

OperatorChecks::OperatorChecks(const onnx::ModelProto& model, std::string where) : where_(std::move(where)) {
  for (const auto& function : model.functions()) {
    functions_.emplace(canonical(function.domain()), function.name(), function.overload());
  }
}

void OperatorChecks::check(const onnx::NodeProto& node, const Imports& imports) {
  const std::string domain = canonical(node.domain());
  const auto import = imports.find(domain);
  if (import == imports.end()) {
    if (!runtime_domain(domain)) {
      invalid("The model uses the operator domain " + in_quotes(domain) + " (" + node_label(node) +
                  ") without importing it.",
              where_, "Add the domain to the model's opset_import.");
    }
    missing_imports_.insert(domain);
    return;
  }
  if (functions_.contains({domain, node.op_type(), node.overload()})) return;
  const std::int64_t newest = std::numeric_limits<int>::max();
  const auto version = static_cast<int>(std::clamp<std::int64_t>(import->second, 0, newest));
  const onnx::OpSchema* schema = onnx::OpSchemaRegistry::Schema(node.op_type(), version, domain);
  if (schema == nullptr) {
    const bool runtime_defines = runtime_domain(domain) || std::find(kRuntimeOperators.begin(), kRuntimeOperators.end(),
                                                                     node.op_type()) != kRuntimeOperators.end();
    if (!runtime_defines) unknown_operators_.insert((domain.empty() ? "ai.onnx" : domain) + ":" + node.op_type());
    return;
  }
  try {
    schema->Verify(node);
  } catch (const std::exception& error) {
    invalid("ONNX's definition of " + printable(node.op_type()) + " (opset " + std::to_string(version) + ") refuses " +
                node_label(node) + ": " + first_line(error.what()) + ".",
            where_, "ONNX Runtime refuses it too; export the model again or correct its opset.");
  }
}

}  // namespace mpq::graph
