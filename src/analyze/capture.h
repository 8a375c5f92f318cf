#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analyze/cost.h"
#include "analyze/experiment.h"

namespace mpq::perturb {

/// Values of the unperturbed network by sample: what the rerun parts are fed with and compared to.
using Captured = std::map<std::size_t, Feed>;

/// Layers whose activations are held at the same time.
struct CaptureGroup {
  std::vector<std::size_t> tasks;   ///< indices into Experiment::tasks
  std::size_t trials_per_pass = 1;  ///< trials whose activations fit into the memory for them
};

/// Bytes of every value the tasks need, on one sample. Runs the network a few times, a few values each, so that
/// never all of them are held at once.
std::map<std::string, std::int64_t> value_bytes(const Experiment& experiment);

/// Splits the tasks into groups whose captured values fit into `activation_memory_bytes` for `trials` trials at once;
/// a layer too large for that gets a group of its own and fewer trials per pass (at least one).
std::vector<CaptureGroup> plan_capture(const Experiment& experiment, const std::map<std::string, std::int64_t>& bytes,
                                       const std::vector<std::size_t>& tasks, std::size_t trials);

/// Captures boundaries and targets of the group's tasks for the samples of these trials, in one session.
Captured capture(const Experiment& experiment, const CaptureGroup& group, TrialRange trials, CostMeter& cost);

}  // namespace mpq::perturb
