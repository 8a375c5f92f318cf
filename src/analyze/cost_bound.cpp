#include "analyze/cost_bound.h"

#include <cmath>

#include "analyze/adjoint_observe.h"
#include "support/text.h"

namespace mpq::perturb {

namespace {

// Measured on seven networks (docs/adjoint.md) and rounded up.
constexpr double kReversePasses = 12;  // forward passes that one probe's reverse pass takes, products included
constexpr double kAdjointLoads = 24;   // loads of the plain network that preparing one shape of the samples takes

constexpr double kNodesOfAStep = 16;  // that a step of a recurrent operator is written out as
constexpr double kLoadsOfWritten =
    8;  // loads that a graph of so many nodes takes, in the plain network's time for a node

constexpr double kRerunLoads = 4;  // sessions a layer's part of the network may take, where the first does not do

}  // namespace

void CostBound::announce(double equivalents, const std::string& what) {
  equivalents_ += equivalents;
  observer_.note(what + ": at most " + format_number(std::ceil(equivalents)) + " forward passes.");
}

void CostBound::announce_adjoint() {
  const double nodes = experiment_.form.model.graph().node_size();
  double loads = 0;
  for (const SameShapes& shapes : by_shapes(experiment_)) {
    const Feed& sample = experiment_.samples[experiment_.sample_of(shapes.trials.front())];
    const double written = kNodesOfAStep * static_cast<double>(recurrent_steps(experiment_, sample));
    loads += kAdjointLoads + kLoadsOfWritten * written / nodes;
  }
  announce_reverse(loads);
}

void CostBound::announce_pieces() {
  announce_reverse(static_cast<double>(by_shapes(experiment_).size()) * kAdjointLoads);
}

void CostBound::announce_reverse(double loads) {
  const double trials = static_cast<double>(experiment_.trial_cap);
  announce(loads * load_equivalents() + trials * (1 + kReversePasses * experiment_.options.probes),
           "Reverse passes over " + std::to_string(experiment_.trial_cap) + " samples");
}

void CostBound::announce_pilots(const std::vector<std::size_t>& tasks, std::size_t trials) {
  announce(rerun_equivalents(tasks, trials, 1), "Reruns of " + std::to_string(tasks.size()) + " pilot layers");
}

void CostBound::announce_reruns(const std::vector<std::size_t>& tasks) {
  announce(rerun_equivalents(tasks, experiment_.trial_cap, experiment_.rounds().size()),
           "Reruns of " + std::to_string(tasks.size()) + " layers");
}

double CostBound::rerun_equivalents(const std::vector<std::size_t>& tasks, std::size_t trials,
                                    std::size_t rounds) const {
  const double each = experiment_.law != Law::kQuantization && experiment_.options.antithetic ? 2 : 1;
  double equivalents = static_cast<double>(trials);  // what is captured in front of the layers
  for (const std::size_t t : tasks) {
    const double candidates = static_cast<double>(experiment_.tasks[t].candidates.size());
    equivalents += static_cast<double>(trials) * (each * candidates + 1);
    equivalents += static_cast<double>(rounds) * kRerunLoads * load_equivalents();
  }
  return equivalents;
}

}  // namespace mpq::perturb
