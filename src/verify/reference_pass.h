#pragma once

#include <string>
#include <vector>

#include "mpq/samples.h"

#include "runtime/session.h"
#include "support/damage.h"

namespace mpq::judge {

/// The reference model on all samples: what its outputs are, and the outputs themselves while they are few.
struct ReferencePass {
  std::vector<OutputKind> kinds;             ///< by output; what holds for all samples
  std::vector<double> energies;              ///< by output: mean |y|^2 over the samples; 1 where that is zero
  std::vector<std::vector<Tensor>> outputs;  ///< [sample][output]; empty when they would take too much memory
};

/// Throws Error{kInvalidInput} when the model does not run on a sample.
ReferencePass run_reference(const runtime::Session& session, const std::vector<std::string>& outputs,
                            const Samples& samples, int threads);

}  // namespace mpq::judge
