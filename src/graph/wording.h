#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <onnx/onnx_pb.h>

#include "mpq/error.h"

// How the messages of this floor speak of the parts of a model. Names come from files nobody checked: they are shown
// without control characters and never longer than a line.

namespace mpq::graph {

/// 'name', with control characters and broken UTF-8 replaced by '?', shortened after 80 bytes.
std::string in_quotes(std::string_view name);
inline std::string quoted(std::string_view name) {
  return in_quotes(name);
}  // older name, in layers.cpp, sites.cpp, cut.cpp
/// The same without quotation marks and without a length limit.
std::string printable(std::string_view text);
bool valid_utf8(std::string_view text);

/// "'a', 'b', 'c' and 12 more": at most three of the names.
std::string listed(const std::vector<std::string>& names);

/// "node 'conv1' (Conv)", or "the Conv node that writes 'y'" when it has no name.
std::string node_label(const onnx::NodeProto& node);

[[noreturn]] void invalid(const std::string& what, const std::string& where, const std::string& hint = {});
[[noreturn]] void unsupported(const std::string& what, const std::string& where, const std::string& hint = {});

}  // namespace mpq::graph
