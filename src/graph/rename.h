#pragma once

#include <map>
#include <string>

#include <onnx/onnx_pb.h>

namespace mpq::graph {

using Names = std::map<std::string, std::string>;  ///< values as they are called -> as they are to be called

void rename(const Names& names, std::string& name);
/// Inputs and, with `outputs`, outputs of a node, and what its bodies take from outside. Names that a body defines
/// itself mean its own values and stay.
void rename(const Names& names, onnx::NodeProto& node, bool outputs);

}  // namespace mpq::graph
