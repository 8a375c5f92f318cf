#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mpq/model.h"
#include "mpq/observer.h"
#include "mpq/plan.h"
#include "mpq/samples.h"

namespace mpq {

struct QuantizeOptions {
  /// How quantized MatMul and Gemm layers run: "float" (weights folded to float at load) or "int8" (DequantizeLinear
  /// feeding the product, which ONNX Runtime fuses into int8/int4 kernels where it has them).
  std::string compute = "int8";
  /// "nearest"; "second-order": GPTQ with the statistics of each layer's inputs, where rounding to nearest does not
  /// err less on held-out samples. "sequential": second-order, front to back, each layer fitted to what the quantized
  /// layers before it deliver; slower, and better for some models only. "data-free": roundings are flipped until the
  /// errors of a row and of a kernel cancel (SQuant 2022), and the samples, which may be synthetic, have little say.
  /// "auto": second-order and sequential compete where there are calibration samples, data-free where these are
  /// synthetic, nearest for plans whose scales are fitted by "minmax", the plain baseline, and without any samples.
  std::string rounding = "auto";
  int threads = 0;
  /// Of the whole process; 0 = half of the machine's memory. What is made of models that would take more goes to disk
  /// as it comes, and their layers are rounded piece by piece, by "second-order" where "sequential" is asked for.
  std::int64_t memory_limit_bytes = 0;
  void validate() const;
};

/// How one layer was written.
struct WrittenLayer {
  std::string layer;
  std::string run_form;  ///< "float", "folded to float", "int8 kernel", "int4 kernel"
  std::string reason;    ///< why this run form; empty when it is the one asked for
};

/// A quantized model, complete in memory (external data stays mapped).
class QuantizedModel {
 public:
  std::int64_t bytes() const;  ///< of all files `save` will write
  const Plan& plan() const;    ///< its byte figures equal the written file's
  const std::vector<WrittenLayer>& layers() const;
  /// Writes the model (and PATH.data when it needs external data) atomically. Throws Error{kOutput}.
  void save(const std::string& path) const;
  /// The model as a runnable, verifiable value.
  const Model& model() const;

  struct Impl;
  explicit QuantizedModel(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  const Impl& impl() const { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

/// Rounds every layer to nearest, as the plan says, and writes the result as standard ONNX operators. With "float" for
/// every layer the result is the original model, unchanged. Throws Error{kInvalidInput} when plan and model do not
/// belong together.
QuantizedModel quantize(const Model& model, const Plan& plan, const QuantizeOptions& options = {},
                        Observer& observer = silent_observer());

/// The same with samples to fit the rounding to, as QuantizeOptions::rounding says. Throws Error{kInvalidInput} when
/// the model does not run on the samples.
QuantizedModel quantize(const Model& model, const Plan& plan, const Samples& calibration,
                        const QuantizeOptions& options = {}, Observer& observer = silent_observer());

/// The plan that a model written by mpq carries in its metadata; nothing for any other model.
/// Throws Error{kInvalidInput} when there is one and it cannot be read.
std::optional<Plan> embedded_plan(const Model& model);

}  // namespace mpq
