#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include "mpq/model.h"
#include "mpq/samples.h"

#include "graph/tensor_store.h"
#include "runtime/shared_value.h"

namespace mpq::runtime {

struct SessionOptions {
  int threads = 1;  ///< inside one run; 1 keeps results independent of --threads
  /// 0 disabled, 1 basic, 2 extended, 99 all: ONNX Runtime's graph optimization levels.
  int optimization_level = 99;
  std::string provider = "cpu";  ///< "cpu" | "openvino" | "webgpu" | "cuda"
  std::string device = {};       ///< of the provider: "cpu", "gpu", "npu" (OpenVINO); "0" (CUDA)
  std::string precision = {};    ///< "bfloat16": let a provider that can compute in it do so; else in full float32
  /// Logical cores to pin the session's own threads to, one thread a core; the calling thread counts as the first.
  std::vector<int> cores = {};
  /// A session that is to run as fast as it can, rather than one of dozens: an arena of its own, planned ahead, and
  /// threads that spin while a run lasts.
  bool fast = false;
  /// A session that holds no more memory than it must: weights are not packed a second time, and what a run takes goes
  /// back to the system when it ends. Slower.
  bool lean = false;
  double slowdown = 1;  ///< every run takes so many times the session's shortest run, the rest of it asleep
  /// Where the runtime writes the graph it made of the model (tensors beside it), and the beginning of its profile's
  /// path; empty: nowhere.
  std::string optimized_model_path = {}, profile_prefix = {};
};

/// Memory of the caller's for a float32 output of this shape; null: none.
struct Place {
  float* data = nullptr;
  std::vector<std::int64_t> shape = {};
};

/// A model loaded by ONNX Runtime, on its CPU provider unless told otherwise. Tensors of the store are handed over from
/// memory, without a file. run() may be called from several threads at once.
class Session {
 public:
  /// Throws Error{kInvalidInput} with the runtime's own words when it refuses the model,
  /// Error{kUnsupported} when it lacks an operator or kernel.
  Session(const onnx::ModelProto& skeleton, const graph::TensorStore& store, const SessionOptions& options = {});
  explicit Session(const Model& model, const SessionOptions& options = {});
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  const std::vector<ValueInfo>& inputs() const;
  const std::vector<ValueInfo>& outputs() const;

  /// The input of the tensor's name is fed from these bytes at every run from now on. They are read in place and must
  /// outlive the session.
  void bind(const onnx::TensorProto& tensor, std::span<const std::byte> bytes);

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
  /// All inputs in the order of inputs(), all outputs in the order of outputs(), passed on without a copy: what one
  /// session returns can be fed to the next as it is. Throws Error{kInvalidInput} for a failing run.
  std::vector<SharedValue> run_values(const std::vector<SharedValue>& inputs) const;

  /// Bytes of the CPU provider's memory the session holds: weights as it packed them, and activations at their peak.
  /// Only for a `fast` session of the CPU provider; 0 for others.
  std::int64_t memory_bytes() const;

  struct Impl;

  /// Ends the profile begun by SessionOptions::profile_prefix and returns its path.
  std::string end_profiling();

 private:
  std::unique_ptr<Impl> impl_;
};

/// The ONNX Runtime in use: "1.32.0".
std::string runtime_version();

}  // namespace mpq::runtime
