#include "graph/validate.h"

#include <map>
#include <set>

#include <onnx/checker.h>

#include "graph/graph_checks.h"
#include "graph/operator_checks.h"
#include "graph/tensor_checks.h"
#include "graph/visit.h"
#include "graph/wording.h"

namespace mpq::graph {

namespace {

void check_ir_version(const onnx::ModelProto& model, const std::string& where) {
  const std::int64_t version = model.ir_version();
  if (!model.has_ir_version() || version == 0) {
    invalid("The model states no IR version.", where, "The file is damaged or is no ONNX model.");
  }
  if (version < kOldestIr || version > kNewestIr) {
    unsupported("The model has IR version " + std::to_string(version) + "; mpq reads " + std::to_string(kOldestIr) +
                    " to " + std::to_string(kNewestIr) + ".",
                where, version > kNewestIr ? "Export it for an older IR version." : "Export it with a newer exporter.");
  }
}

/// The imports by domain. Of several for one domain the last counts, as in ONNX Runtime; the others are removed.
Imports read_imports(onnx::ModelProto& model, std::vector<Finding>& findings) {
  Imports imports;
  std::vector<std::string> repeated;
  auto& list = *model.mutable_opset_import();
  for (int i = list.size() - 1; i >= 0; --i) {
    const std::string domain = is_default_domain(list[i].domain()) ? "" : list[i].domain();
    if (imports.emplace(domain, list[i].version()).second) continue;
    repeated.insert(repeated.begin(), domain.empty() ? "ai.onnx" : domain);
    list.DeleteSubrange(i, 1);
  }
  if (!repeated.empty()) {
    findings.push_back({"The model imports the operator domain " + listed(repeated) + " more than once.",
                        "mpq uses the last import, as ONNX Runtime does; state each domain once."});
  }
  return imports;
}

std::int64_t checked_opset(const Imports& imports, const std::string& where) {
  const auto found = imports.find("");
  if (found == imports.end()) {
    invalid("The model imports no version of the standard operators, so its nodes have no defined meaning.", where,
            "Add an opset_import for the default domain, with the version the model was exported for.");
  }
  const std::int64_t opset = found->second;
  if (opset < kOldestOpset || opset > kNewestOpset) {
    unsupported("The model uses opset " + std::to_string(opset) + "; mpq reads " + std::to_string(kOldestOpset) +
                    " to " + std::to_string(kNewestOpset) + ".",
                where,
                opset > kNewestOpset ? "Export it for an older opset."
                                     : "Convert it with onnx.version_converter, or export it for a newer opset.");
  }
  return opset;
}

template <typename Visit>
void for_each_sparse(const onnx::GraphProto& graph, const Visit& visit);

template <typename Visit>
void for_each_sparse(const Nodes& nodes, const Visit& visit) {
  for (const auto& node : nodes) {
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_sparse_tensor()) visit(attribute.sparse_tensor());
      for (const auto& sparse : attribute.sparse_tensors()) visit(sparse);
      if (attribute.has_g()) for_each_sparse(attribute.g(), visit);
      for (const auto& body : attribute.graphs()) for_each_sparse(body, visit);
    }
  }
}

template <typename Visit>
void for_each_sparse(const onnx::GraphProto& graph, const Visit& visit) {
  for (const auto& sparse : graph.sparse_initializer()) visit(sparse);
  for_each_sparse(graph.node(), visit);
}

void check_tensors(Model::Impl& impl, const std::string& where) {
  std::vector<std::string> segmented;
  for_each_tensor(impl.proto, [&](onnx::TensorProto& tensor, const TensorPlace& place) {
    const std::string label = tensor_label(tensor, place);
    check_tensor(tensor, label, *impl.store, where);
    if (tensor.has_segment()) segmented.push_back(tensor.name());
  });
  std::vector<std::string> sparse_names;
  const auto check_sparse = [&](const onnx::SparseTensorProto& sparse) {
    check_sparse_tensor(sparse, *impl.store, where);
    sparse_names.push_back(sparse.values().name());
  };
  for_each_sparse(impl.proto.graph(), check_sparse);
  for (const auto& function : impl.proto.functions()) for_each_sparse(function.node(), check_sparse);
  if (!segmented.empty()) {
    impl.findings.push_back({"The tensors " + listed(segmented) + " are marked as segments of larger ones.",
                             "Runtimes ignore the mark, and so does mpq; remove it."});
  }
  if (!sparse_names.empty()) {
    impl.findings.push_back({"The model holds sparse tensors: " + listed(sparse_names) + ".",
                             "Runtimes make them dense; store them dense if they are to be quantized."});
  }
}

/// Two functions of one name, or functions that call each other in a circle, would send every later step astray.
void check_functions(const onnx::ModelProto& model, const std::string& where) {
  try {
    onnx::checker::check_function_call_cycles(model);
  } catch (const std::exception& error) {
    const std::string message = error.what();
    invalid("The model's local functions are not usable: " +
                printable(message.substr(0, message.find('\n')).substr(0, 300)),
            where, "Export the model again, with its functions inlined if the exporter offers that.");
  }
}

void add_note(std::vector<Finding>& findings, const std::vector<std::string>& names, const std::string& before,
              const std::string& after, const std::string& cure) {
  if (!names.empty()) findings.push_back({before + listed(names) + after, cure});
}

void add_graph_findings(const GraphNotes& notes, const OperatorChecks& operators, std::vector<Finding>& findings) {
  add_note(findings, notes.repeated_initializers, "Several initializers have the name ", ".",
           "ONNX Runtime takes the first of each silently; mpq does the same and drops the others.");
  if (!notes.unnamed_initializers.empty()) {
    findings.push_back(
        {std::to_string(notes.unnamed_initializers.size()) + " initializers have no name, so no node can read them.",
         "Remove them; they only make the file larger."});
  }
  add_note(findings, notes.shadowed_values, "Subgraphs write values that the graphs around them define too: ", ".",
           "ONNX forbids this and ONNX Runtime may refuse it; rename them.");
  add_note(findings, notes.repeated_outputs, "The output ", " is listed more than once.", "List each output once.");
  if (!notes.unsorted_graphs.empty()) {
    std::string titles = notes.unsorted_graphs.front();
    if (notes.unsorted_graphs.size() > 1) {
      titles += " and " + std::to_string(notes.unsorted_graphs.size() - 1) + " more";
    }
    findings.push_back({"The nodes of " + titles + " are not in topological order, as ONNX requires.",
                        "mpq sorts them; some runtimes refuse such files."});
  }
  const std::set<std::string>& missing = operators.missing_imports();
  add_note(findings, {missing.begin(), missing.end()}, "The model uses operators of ", " without importing the domain.",
           "ONNX Runtime adds the import silently; other tools refuse the file. Add it to opset_import.");
  const std::set<std::string>& unknown = operators.unknown_operators();
  add_note(findings, {unknown.begin(), unknown.end()}, "Neither ONNX nor ONNX Runtime defines the operators ", ".",
           "Running the model needs the custom operator library it was made for.");
}

/// Below IR version 4 every initializer has to be listed among the inputs; runtimes no longer insist.
void note_unlisted_initializers(const onnx::ModelProto& model, std::vector<Finding>& findings) {
  if (model.ir_version() >= 4) return;
  std::set<std::string> inputs;
  for (const auto& input : model.graph().input()) inputs.insert(input.name());
  std::vector<std::string> unlisted;
  for (const auto& tensor : model.graph().initializer()) {
    if (!inputs.contains(tensor.name())) unlisted.push_back(tensor.name());
  }
  add_note(findings, unlisted,
           "The model has IR version 3, which requires initializers to be inputs too; these are not: ", ".",
           "Raise the IR version to 4 or more; ONNX Runtime lets it pass silently.");
}

}  // namespace

void validate(Model::Impl& impl, const std::string& where) {
  impl.findings.clear();
  onnx::ModelProto& model = impl.proto;
  check_ir_version(model, where);
  if (!model.has_graph()) {
    invalid("The file holds no graph, so it is no ONNX model.", where, "It may be cut off, or a file of another kind.");
  }
  const Imports imports = read_imports(model, impl.findings);
  impl.opset = checked_opset(imports, where);
  if (model.graph().output_size() == 0) {
    invalid("The model's graph has no outputs, so it computes nothing.", where, "Export it again with its outputs.");
  }
  check_functions(model, where);
  check_tensors(impl, where);
  OperatorChecks operators(model, where);
  GraphNotes notes;
  GraphChecks graphs(operators, notes, where);
  graphs.check(*model.mutable_graph(), imports);
  for (auto& function : *model.mutable_functions()) graphs.check(function, imports);
  add_graph_findings(notes, operators, impl.findings);
  note_unlisted_initializers(model, impl.findings);
  if (model.training_info_size() > 0) {
    impl.findings.push_back({"The model carries training information, which no inference runtime uses.",
                             "Remove training_info to make the file smaller."});
  }
}

}  // namespace mpq::graph
