#pragma once

#include <memory>
#include <span>
#include <vector>

#include "analyze/experiment.h"

namespace mpq::perturb {

/// What one trial is fed with.
struct TrialFeed {
  const Feed* inputs = nullptr;    ///< the sample
  const Feed* captured = nullptr;  ///< the unperturbed network's values on it
};

/// A part of the network in which one layer's weight can be exchanged.
class Runner {
 public:
  virtual ~Runner() = default;
  /// The weight of the following runs, in C order of the layer's shape.
  virtual void set_weight(std::span<const float> weight) = 0;
  /// Those of the task's targets that the weight reaches.
  virtual Feed run(std::size_t trial) = 0;
  /// False when the weight reaches no target: nothing to run.
  virtual bool reaches_target() const { return true; }
};

/// What a cut says of the values it is fed with. Exact shapes let the runtime fold and fuse more; but where branches
/// for other shapes lie in the graph they contradict it, and only what the model itself declares is safe.
enum class BoundaryTypes { kExact, kDeclared };

/// The part of the network behind the layer (or, with `full_reruns`, all of it), the weight an input whose
/// buffer is rewritten in place. Throws Error when the runtime refuses such a graph.
std::unique_ptr<Runner> make_cut_runner(const Experiment& experiment, const Task& task, std::vector<TrialFeed> feeds,
                                        BoundaryTypes types = BoundaryTypes::kExact);

/// The whole network with the weight as a constant: a new session for every weight. Slow; for operators that accept
/// no weight that is computed or fed.
std::unique_ptr<Runner> make_baked_runner(const Experiment& experiment, const Task& task, std::vector<TrialFeed> feeds);

}  // namespace mpq::perturb
