#include "analyze/agreement.h"

#include <algorithm>
#include <span>

#include "analyze/rounds.h"
#include "support/statistics.h"

namespace mpq::perturb {

namespace {

constexpr std::size_t kMostTrials = 16;

std::vector<std::size_t> pilots_of(const std::vector<TaskOutcome>& outcomes, std::size_t count) {
  std::vector<std::size_t> priced, pilots;
  for (std::size_t t = 0; t < outcomes.size(); ++t) {
    if (!outcomes[t].damages.empty()) priced.push_back(t);
  }
  const std::size_t wanted = std::min(count, priced.size());
  for (std::size_t i = 0; i < wanted; ++i) pilots.push_back(priced[(2 * i + 1) * priced.size() / (2 * wanted)]);
  return pilots;
}

/// Damages of the same layers and candidates, on the same samples.
struct Pairs {
  std::vector<double> measured, predicted, ratios;

  void add(double rerun, double adjoint) {
    measured.push_back(rerun);
    predicted.push_back(adjoint);
    if (rerun > 0 && adjoint > 0) ratios.push_back(adjoint / rerun);
  }
};

}  // namespace

std::optional<EngineAgreement> agreement_with_reruns(const Experiment& experiment, const Reference& reference,
                                                     CostBound& bound, Observer& observer, CostMeter& cost,
                                                     std::vector<TaskOutcome>& outcomes) {
  const auto pilots = pilots_of(outcomes, static_cast<std::size_t>(experiment.options.pilots));
  if (pilots.empty()) return std::nullopt;
  const std::size_t trials = std::min(experiment.trial_cap, kMostTrials);
  bound.announce_pilots(pilots, trials);
  std::vector<TaskOutcome> reruns(outcomes.size());
  Checkpoint none("", "");
  Rounds(experiment, reference, none, observer, cost).run({0, trials}, pilots, reruns);
  Pairs pairs;
  for (const std::size_t t : pilots) {
    if (!reruns[t].failure.empty()) continue;
    outcomes[t].runs += reruns[t].runs;
    for (std::size_t c = 0; c < reruns[t].damages.size(); ++c) {
      const std::span<const double> adjoint = outcomes[t].damages[c];
      pairs.add(mean_and_error(reruns[t].damages[c]).mean, mean_and_error(adjoint.first(trials)).mean);
    }
  }
  if (pairs.ratios.empty()) return std::nullopt;
  return EngineAgreement{std::ssize(pairs.measured), spearman(pairs.measured, pairs.predicted),
                         quantile(pairs.ratios, 0.5)};
}

}  // namespace mpq::perturb
