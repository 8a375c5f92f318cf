#include "outputs.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <set>
#include <unistd.h>

#include <fmt/format.h>

#include "mpq/error.h"

namespace mpq::cli {
namespace {

namespace fs = std::filesystem;

bool same_file(const std::string& a, const std::string& b) {
  std::error_code error;
  return fs::equivalent(a, b, error) && !error;
}

/// The path with links and dots resolved as far as it exists, so that two spellings of one file compare equal.
std::string canonical(const std::string& path) {
  std::error_code error;
  const fs::path result = fs::weakly_canonical(fs::absolute(path), error);
  return error ? path : result.string();
}

/// Creates and removes a file beside `path`: the only test of writability that counts permissions, quotas and read-only
/// mounts.
void probe(const std::string& path) {
  const fs::path folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path() : fs::path(".");
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw Error(ErrorCode::kOutput, fmt::format("There is no folder {}.", folder.string()), path,
                "Create it, or choose another place with -o.");
  }
  if (fs::is_directory(path, error)) {
    throw Error(ErrorCode::kOutput, "There is a folder of that name.", path, "Choose another name with -o.");
  }
  const fs::path name = folder / fmt::format(".mpq-probe-{}", getpid());
  const int fd = open(name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) {
    throw Error(ErrorCode::kOutput,
                fmt::format("The folder {} cannot be written to: {}.", folder.string(), std::strerror(errno)), path,
                "Choose another place with -o.");
  }
  close(fd);
  unlink(name.c_str());
}

void check_external_data(const std::string& output) {
  const std::string data = output + ".data";
  std::error_code error;
  if (output.size() > 5 && output.ends_with(".onnx") && fs::exists(data, error) && !fs::exists(output, error)) {
    throw Error(ErrorCode::kOutput, fmt::format("There is a file {} already that belongs to no {}.", data, output),
                output,
                "It may hold another model's weights, so --force does not overwrite it; move it away or choose another "
                "name with -o.");
  }
}

}  // namespace

std::string budget_tag(const std::string& budget) {
  std::string tag;
  for (const char c : budget) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.';
    if (plain) tag += c;
    if (c == '%') tag += "pct";
  }
  return tag;
}

std::string without_onnx_extension(const std::string& path) {
  return path.size() > 5 && path.ends_with(".onnx") ? path.substr(0, path.size() - 5) : path;
}

std::string with_tag(const std::string& path, const std::string& tag) {
  const fs::path whole(path);
  std::string name = whole.filename().string();
  std::size_t dot = name.size();
  for (const char* ending : {".run.json", ".json", ".onnx"}) {
    if (name.ends_with(ending) && name.size() > std::strlen(ending)) {
      dot = name.size() - std::strlen(ending);
      break;
    }
  }
  name.insert(dot, "-" + tag);
  return (whole.parent_path() / name).string();
}

std::string output_path(const std::string& wanted, const std::string& default_path) {
  if (wanted.empty()) return default_path;
  std::error_code error;
  const bool folder = wanted.back() == '/' || fs::is_directory(wanted, error);
  return folder ? (fs::path(wanted) / fs::path(default_path).filename()).string() : wanted;
}

void check_outputs(const std::vector<std::string>& outputs, const std::vector<std::string>& inputs, bool force) {
  std::set<std::string> seen;
  for (const std::string& output : outputs) {
    if (!seen.insert(canonical(output)).second) {
      throw Error(ErrorCode::kUsage, "Two of the outputs would be this same file.", output,
                  "Give them names of their own.");
    }
    for (const std::string& input : inputs) {
      if (input.empty() || (!same_file(output, input) && canonical(output) != canonical(input))) continue;
      throw Error(ErrorCode::kUsage, "The output is the same file as an input; mpq never overwrites an input.", output,
                  "Choose another name with -o.");
    }
  }
  for (const std::string& output : outputs) {
    std::error_code error;
    if (!force && fs::exists(fs::symlink_status(output, error))) {
      throw Error(ErrorCode::kOutput, "The file exists already.", output,
                  "Overwrite it with --force, or choose another name with -o.");
    }
    check_external_data(output);
    probe(output);
  }
}

}  // namespace mpq::cli
