#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include <onnx/onnx_pb.h>

#include "graph/tensor_store.h"
#include "support/files.h"

namespace mpq::graph {

/// The external data files of one model: found, checked and memory-mapped once each.
class ExternalFiles {
 public:
  explicit ExternalFiles(const std::string& model_path);

  /// The file at `location`, relative to the model's folder. `tensor` is how messages call the tensor that wants it.
  /// Throws Error{kInvalidInput} for an absolute path, one that leaves the folder (by ".." or by a symbolic link), and
  /// for what is no readable file. A model that is itself a symbolic link may also find its data beside the real
  /// file: that is how download caches store models.
  std::shared_ptr<const MappedFile> open(const std::string& location, const std::string& tensor);

  /// By name, so that the model's hash does not depend on the order of its tensors.
  const std::map<std::string, std::shared_ptr<const MappedFile>>& opened() const { return files_; }

 private:
  std::filesystem::path checked_path(const std::string& location, const std::string& tensor) const;

  std::string model_path_;
  std::filesystem::path folder_;
  std::map<std::string, std::shared_ptr<const MappedFile>> files_;
};

/// Brings an externally stored tensor in: large ones into the store (mapped, not read), small ones into the protobuf.
/// Throws Error{kInvalidInput} when its entries, its file and its dims do not fit together.
void resolve_external(onnx::TensorProto& tensor, const std::string& label, ExternalFiles& files, TensorStore& store,
                      const std::string& model_path);

}  // namespace mpq::graph
