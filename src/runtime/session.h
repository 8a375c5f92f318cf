#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include "mpq/model.h"
#include "mpq/samples.h"

#include "graph/tensor_store.h"

namespace mpq::runtime {

struct SessionOptions {
  int threads = 1;  ///< inside one run; 1 keeps results independent of --threads
  /// 0 disabled, 1 basic, 2 extended, 99 all: ONNX Runtime's graph optimization levels.
  int optimization_level = 99;
};

/// Memory of the caller's for a float32 output of this shape; null: none.
struct Place {
  float* data = nullptr;
  std::vector<std::int64_t> shape = {};
};

/// A model loaded by ONNX Runtime's CPU provider. Tensors of the store are handed over from memory, without a file.
/// run() may be called from several threads at once.
class Session {
 public:
  /// Throws Error{kInvalidInput} with the runtime's own words when it refuses the model,
  /// Error{kUnsupported} when it lacks an operator or kernel.
  Session(const onnx::ModelProto& skeleton, const graph::TensorStore& store, const SessionOptions& options = {});
  explicit Session(const Model& model, const SessionOptions& options = {});
  ~Session();
  Session(Session&&) noexcept;

  const std::vector<ValueInfo>& inputs() const;
  const std::vector<ValueInfo>& outputs() const;

  /// Runs once. The feed's tensors are read in place (not copied), so a tensor may be changed between runs.
  /// Inputs the model does not have are ignored. Throws Error{kInvalidInput} for a missing input or a failing run.
  /// Outputs that are no tensors (sequences, maps, absent optionals) come back as an empty Tensor of 0 bytes.
  std::vector<Tensor> run(const Feed& feed) const;
  /// As above, only these outputs.
  std::vector<Tensor> run(const Feed& feed, const std::vector<std::string>& outputs) const;
  /// As above, but outputs with a place are written there instead of being returned (then as an empty Tensor).
  /// `places` is parallel to `outputs`.
  std::vector<Tensor> run(const Feed& feed, const std::vector<std::string>& outputs,
                          const std::vector<Place>& places) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The ONNX Runtime in use: "1.32.0".
std::string runtime_version();

}  // namespace mpq::runtime
