#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "mpq/model.h"
#include "mpq/profile.h"
#include "mpq/quantize.h"

#include "graph/cut.h"
#include "runtime/session.h"

namespace mpq::profiling {

/// A model made ready to be cut at the segments of a profile: the profiled model, or one that mpq quantized from it
/// (quantizing leaves the activations' names as they are).
class CuttableModel {
 public:
  /// Throws Error{kInvalidInput} when the model lacks one of the profile's tensors. Takes what it needs of the profile.
  CuttableModel(const Model& model, const Profile& profile);

  /// These segments as one network. Inputs and outputs stand in the order of subnet_boundary(). An input that the whole
  /// network rounds to integers where it is computed is rounded once more, which changes no number: integer kernels
  /// then have integers on both sides of the cut.
  onnx::ModelProto cut(const std::vector<int>& segments) const;

  /// cut() as a session on `processor`: its threads on the processor's cores, computing in `precision` ("bfloat16" is a
  /// mode of the provider; int8 and int4 are in the model). Call run_values from a thread pinned to the same cores
  /// (support/affinity.h). Throws Error{kUnsupported} with the reason when the provider does not take it.
  runtime::Session session(const std::vector<int>& segments, const Processor& processor,
                           const std::string& precision) const;

  const graph::TensorStore& store() const { return *form_.store; }

 private:
  void round_inputs(const std::vector<std::string>& inputs, onnx::GraphProto& graph) const;

  Profile cuts_;  // tensors and segments only
  graph::RunForm form_;
  std::map<std::string, ValueInfo> types_;
};

/// How a processor runs sessions at a precision: provider, threads on its cores, as fast as it can.
runtime::SessionOptions session_options(const Processor& processor, const std::string& precision);

/// The cores that a thread which runs sessions of the processor is to be pinned to. The CPU provider takes it for the
/// first of the session's threads and pins the others to the other cores: were it free to move among them all, it would
/// sooner or later share a core with one of the others, and each wait for the other's time slice to end.
std::vector<int> calling_cores(const Processor& processor);

/// The model as it runs at a precision of the profile.
struct Variant {
  Model model;
  /// Layers whose arithmetic differs from the model as it stands, and how they run (WrittenLayer::run_form).
  std::map<std::string, std::string> kernels;
};

/// Writes a plan with integer kernels wherever the runtime has them.
using PlanWriter = std::function<QuantizedModel(const Plan& plan)>;

/// "int8", "int4": every layer stored in so many bits, as `write` writes it. Any other precision leaves the model as it
/// is.
Variant at_precision(const Model& model, const std::string& precision, const PlanWriter& write);

/// Values of a written model at which a cut undoes no fusion although the runtime no longer computes them as floats:
/// on both sides stand kernels that take and give their integers.
std::set<std::string> rounded_values(const onnx::ModelProto& model);
/// Values that are floats before they are rounded. In a model written from another the latter's among them can be cut
/// at, although the runtime may drop a Relu in front of the rounding: that is less than what a fusion saves.
std::set<std::string> values_to_round(const onnx::ModelProto& model);

}  // namespace mpq::profiling
