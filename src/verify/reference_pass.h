#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "mpq/samples.h"
#include "mpq/verify.h"

#include "graph/memory_plan.h"
#include "graph/open_extents.h"
#include "runtime/sampled_network.h"
#include "support/damage.h"

namespace mpq::judge {

/// The reference model on all samples: what its outputs are, and the outputs themselves while they are few.
struct ReferencePass {
  /// Throws Error{kInvalidInput} when the model does not run on a sample, Error{kUsage} when nothing matches an option.
  ReferencePass(const Model& model, const Samples& data, const VerifyOptions& options, Observer& observer);

  bool is_measured(std::size_t output) const { return weights[output] > 0; }
  std::vector<Tensor> outputs(std::size_t sample) const;

  const Samples& samples;
  int threads;
  graph::MemoryPlan memory;
  graph::ConstantBytes constant_bytes;  ///< of the model
  graph::OpenExtents open;              ///< none where the user says which outputs count
  runtime::SampledNetwork network;
  std::vector<std::string> names;  ///< of the outputs and settled values, which the vectors below are parallel to
  std::vector<OutputKind> kinds;   ///< what holds for all samples
  std::vector<double> energies;    ///< mean |y|^2 over the samples; 1 where that is zero
  std::vector<double> weights;     ///< 0 = not measured
  std::string metric;              ///< resolved: never "auto"

 private:
  void run();
  void look_at(const std::vector<Tensor>& values, bool first);
  void tell_of_open_extents(Observer& observer) const;
  std::string resolved_metric(const VerifyOptions& options) const;

  std::vector<std::vector<Tensor>> kept_;  ///< [sample][output]; empty when they would take too much memory
};

}  // namespace mpq::judge
