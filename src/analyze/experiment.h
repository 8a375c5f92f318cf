#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "mpq/analyze.h"

#include "analyze/noise.h"
#include "graph/cut.h"
#include "runtime/outputs.h"

namespace mpq::perturb {

/// Consecutive trials.
struct TrialRange {
  std::size_t first = 0;
  std::size_t count = 0;
};

/// One layer under test.
struct Task {
  std::size_t layer = 0;                ///< index into Model::layers()
  std::vector<Candidate> candidates;    ///< those that change the weight: "float" is left out
  std::size_t reference_candidate = 0;  ///< the one the layer is ranked by
  std::vector<std::string> targets;     ///< values the damage is measured on
  std::vector<std::string> boundary;    ///< values the rerun part of the network is fed with
  std::string failure;                  ///< why the layer cannot be tested; empty as a rule
};

/// Everything that stays fixed while the trials run.
struct Experiment {
  const Model& model;
  const Samples& samples;
  const AnalyzeOptions& options;
  Law law = Law::kQuantization;
  quant::ScaleFit fit = quant::ScaleFit::kMse;
  graph::RunForm form = {};
  std::vector<std::string> outputs = {};  ///< the network's outputs the damage is measured on; none when local
  std::vector<runtime::MeasuredOutput> measured = {};  ///< the same outputs, and what the user says of them
  std::vector<Task> tasks = {};                        ///< one per quantizable layer
  std::vector<std::size_t> order = {};                 ///< a permutation of the samples, keyed by the seed
  std::size_t trials_of_all = 0;                       ///< of all parts
  std::size_t trial_cap = 0;                           ///< of this part: trials are counted within it

  Shard shard() const { return options.shard.value_or(Shard{}); }
  /// The place of this part's k-th trial among those of all parts.
  std::size_t number_of(std::size_t trial) const {
    const auto [part, parts] = shard();
    return trial * static_cast<std::size_t>(parts) + static_cast<std::size_t>(part - 1);
  }
  /// Trial k of every layer and candidate uses the same sample: common random numbers.
  std::size_t sample_of(std::size_t trial) const { return order[number_of(trial) % order.size()]; }
  const Layer& layer_of(const Task& task) const { return model.layers()[task.layer]; }
  bool adaptive() const { return options.trials == 0; }
  /// The trials in portions: all at once, or 4, 8, 16, ... in total when adaptive.
  std::vector<TrialRange> rounds() const;
};

/// Trials whose samples have the same shapes: one graph serves them.
struct SameShapes {
  std::vector<std::size_t> trials;
};
std::vector<SameShapes> by_shapes(const Experiment& experiment);

/// The candidate a layer is ranked by: one scale per channel at 4 bits, else the nearest width offered.
std::size_t reference_candidate(const std::vector<Candidate>& candidates);

/// Throws Error{kInvalidInput} without samples, Error{kUsage} when `outputs_glob` matches nothing or when there are
/// fewer trials than parts.
Experiment make_experiment(const Model& model, const Samples& samples,
                           const std::vector<std::vector<Candidate>>& candidates, const AnalyzeOptions& options,
                           Observer& observer);

}  // namespace mpq::perturb
