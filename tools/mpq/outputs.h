#pragma once

#include <string>
#include <vector>

#include "mpq/budget.h"

namespace mpq::cli {

/// "6bit", "25pct", "12MB": a budget as part of a file's name.
std::string budget_tag(const std::string& budget);

/// "dir/model" for "dir/model.onnx".
std::string without_onnx_extension(const std::string& path);

/// `path` with `tag` before its ending: "out.run.json", "6bit" -> "out-6bit.run.json".
std::string with_tag(const std::string& path, const std::string& tag);

/// Where a command writes: `wanted` if it names a file, `default_name` inside it if it is a folder, and
/// `default_path` if it is empty.
std::string output_path(const std::string& wanted, const std::string& default_path);

/// The files a command will write, checked before the work starts: no two the same, none an input (also not through
/// links), none existing without `force`, each in a folder that can be written to.
/// Throws Error{kUsage} for the first two and Error{kOutput} for the others.
void check_outputs(const std::vector<std::string>& outputs, const std::vector<std::string>& inputs, bool force);

}  // namespace mpq::cli
