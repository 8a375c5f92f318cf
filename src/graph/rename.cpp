#include "graph/rename.h"

#include "graph/scopes.h"

namespace mpq::graph {

namespace {

void rename_inside(Names names, onnx::GraphProto& body) {
  for (const std::string& own : defined_names(body)) names.erase(own);
  for (auto& node : *body.mutable_node()) rename(names, node, true);
  for (auto& output : *body.mutable_output()) rename(names, *output.mutable_name());
}

}  // namespace

void rename(const Names& names, std::string& name) {
  const auto found = names.find(name);
  if (found != names.end()) name = found->second;
}

void rename(const Names& names, onnx::NodeProto& node, bool outputs) {
  for (auto& input : *node.mutable_input()) rename(names, input);
  if (outputs) {
    for (auto& output : *node.mutable_output()) rename(names, output);
  }
  for (auto& attribute : *node.mutable_attribute()) {
    if (attribute.has_g()) rename_inside(names, *attribute.mutable_g());
    for (auto& body : *attribute.mutable_graphs()) rename_inside(names, body);
  }
}

}  // namespace mpq::graph
