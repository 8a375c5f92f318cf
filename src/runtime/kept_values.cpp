#include "runtime/kept_values.h"

#include <sys/mman.h>
#include <unistd.h>

#include <onnxruntime_cxx_api.h>

#include "runtime/environment.h"
#include "runtime/loadable.h"
#include "runtime/providers.h"

namespace mpq::runtime {
namespace {

/// A file without a place on disk, for a library that insists on writing to a path.
class MemoryFile {
 public:
  MemoryFile() : fd_(memfd_create("mpq-optimized-graph", MFD_CLOEXEC)) {}
  ~MemoryFile() {
    if (fd_ >= 0) close(fd_);
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }
  bool parse(onnx::ModelProto& model) const {
    return lseek(fd_, 0, SEEK_SET) == 0 && model.ParseFromFileDescriptor(fd_);
  }

 private:
  int fd_;
};

}  // namespace

std::set<std::string> kept_values(const onnx::ModelProto& skeleton, const graph::TensorStore& store) {
  const MemoryFile file;
  onnx::ModelProto optimized;
  try {
    const Loadable model = make_loadable(skeleton, store);
    SessionOptions options;
    options.optimization_level = ORT_ENABLE_EXTENDED;
    Ort::SessionOptions ort = to_ort(options);
    ort.SetOptimizedModelFilePath(file.path().c_str());
    if (!model.names.empty()) ort.AddExternalInitializers(model.names, model.values);
    const Ort::Session session(environment(), model.bytes.data(), model.bytes.size(), ort);
  } catch (const Ort::Exception&) {
    return {};
  }
  std::set<std::string> kept;
  if (!file.parse(optimized)) return kept;
  for (const onnx::NodeProto& node : optimized.graph().node()) kept.insert(node.output().begin(), node.output().end());
  kept.erase("");
  return kept;
}

}  // namespace mpq::runtime
