#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <unistd.h>

#include "mpq/error.h"

#include "graph/model_impl.h"

namespace mpq::fuzz {

/// A folder that goes away with the process.
class ScratchFolder {
 public:
  ScratchFolder() : path_(std::filesystem::temp_directory_path() / ("mpq-fuzz-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

enum class Outcome { kLoaded, kRefused };

/// Loads the bytes as a model file and uses what comes out as the rest of mpq does: weights are read, the file is laid
/// out again. Any exception but a refusal of the input escapes.
inline Outcome load_bytes(std::string_view bytes, const ScratchFolder& folder) {
  const std::string path = folder.file("model.onnx");
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  try {
    const Model model = Model::load(path);
    for (std::size_t i = 0; i < model.layers().size(); ++i) {
      if (model.layers()[i].quantizable()) model.weight(i);
    }
    graph::serialized_size(model.impl().proto, *model.impl().store, "");
    graph::serialized_size(model.impl().proto, *model.impl().store, "model.data");
    return Outcome::kLoaded;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidInput && error.code() != ErrorCode::kUnsupported) throw;
    return Outcome::kRefused;
  }
}

}  // namespace mpq::fuzz
