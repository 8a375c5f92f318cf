#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include <onnx/onnx_pb.h>

namespace mpq::graph {

/// "" and "ai.onnx" are two names of the same domain (ONNX IR specification, "Operator sets").
bool is_default_domain(const std::string& domain);

/// Operator set versions by domain, the default one under "".
using Imports = std::map<std::string, std::int64_t>;

/// Which operators a model may call, and what was noticed while checking its nodes against that.
class OperatorChecks {
 public:
  explicit OperatorChecks(const onnx::ModelProto& model, std::string where);

  /// Throws Error{kInvalidInput} for a node whose domain nobody imports or whose inputs, outputs and attributes break
  /// the operator's definition: ONNX Runtime refuses those as well.
  void check(const onnx::NodeProto& node, const Imports& imports);

  /// Domains of ONNX Runtime's own that are used without being imported; runtimes add the import silently.
  const std::set<std::string>& missing_imports() const { return missing_imports_; }
  /// "domain:Operator" of nodes that neither ONNX, a local function nor (as far as known) ONNX Runtime defines.
  const std::set<std::string>& unknown_operators() const { return unknown_operators_; }

 private:
  std::string where_;
  std::set<std::tuple<std::string, std::string, std::string>> functions_;  ///< domain, name, overload
  std::set<std::string> missing_imports_;
  std::set<std::string> unknown_operators_;
};

}  // namespace mpq::graph
