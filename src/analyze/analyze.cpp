#include <chrono>

#include "mpq/error.h"

#include "analyze/checkpoint.h"
#include "analyze/engine.h"
#include "analyze/experiment.h"
#include "analyze/reference.h"
#include "analyze/rounds.h"
#include "analyze/scores.h"
#include "analyze/settle.h"
#include "analyze/unexercised.h"
#include "support/text.h"

// The story of an analysis: the unperturbed network, then rounds of perturbations until the ranking is settled.

namespace mpq::perturb {

namespace {

using Clock = std::chrono::steady_clock;

/// Tasks that more trials would still teach something about.
std::vector<std::size_t> active_tasks(const Experiment& experiment, const std::vector<TaskOutcome>& outcomes) {
  std::vector<std::size_t> active;
  for (std::size_t t = 0; t < outcomes.size(); ++t) {
    if (!outcomes[t].failure.empty() || experiment.tasks[t].candidates.empty()) continue;
    if (outcomes[t].damages.empty() || !precise(outcomes[t].damages)) active.push_back(t);
  }
  return active;
}

/// Returns whether the ranking settled before or at the cap of adaptive trials.
bool run_rounds(const Experiment& experiment, Rounds& rounds, std::vector<TaskOutcome>& outcomes) {
  bool settled = false;
  for (const TrialRange& range : experiment.rounds()) {
    const std::vector<std::size_t> active = active_tasks(experiment, outcomes);
    if (settled || active.empty()) break;
    rounds.run(range, active, outcomes);
    settled = experiment.adaptive() && ranking_settled(reference_rows(experiment, outcomes));
  }
  return settled;
}

void warn_of_failure(const Experiment& experiment, std::size_t task, const std::string& reason, Observer& observer) {
  observer.warn("Layer \"" + experiment.layer_of(experiment.tasks[task]).name + "\" is left alone. " + reason, "");
}

[[noreturn]] void report_interruption(const Checkpoint& checkpoint) {
  if (checkpoint.path().empty()) {
    throw Error(ErrorCode::kInterrupted, "The analysis was interrupted; nothing of it was kept.", "",
                "Give a checkpoint to keep what is done.");
  }
  throw Error(ErrorCode::kInterrupted,
              "The analysis was interrupted; what is done is kept in " + checkpoint.path() + ".", checkpoint.path(),
              "Run the same command again to go on from there.");
}

AnalysisCost cost_of(const CostMeter& meter, const Reference& reference, double seconds) {
  AnalysisCost cost;
  cost.seconds = seconds;
  cost.forward_seconds = reference.forward_seconds;
  cost.forward_equivalents = meter.seconds() / reference.forward_seconds;
  cost.full_rerun_equivalents = static_cast<double>(meter.runs());
  cost.trial_runs = meter.runs();
  return cost;
}

}  // namespace

Sensitivity analyze_candidates(const Model& model, const Samples& samples,
                               const std::vector<std::vector<Candidate>>& candidates, const AnalyzeOptions& options,
                               Observer& observer, AnalysisCost* cost) {
  options.validate();
  const auto begin = Clock::now();
  const Experiment experiment = make_experiment(model, samples, candidates, options, observer);
  const Reference reference = measure_reference(experiment, observer);
  std::vector<TaskOutcome> outcomes(experiment.tasks.size());
  for (std::size_t t = 0; t < outcomes.size(); ++t) outcomes[t].failure = experiment.tasks[t].failure;

  Checkpoint checkpoint(options.checkpoint_path, checkpoint_key(experiment));
  if (checkpoint.resumed() > 0) {
    observer.note("An interrupted analysis is taken up: " + std::to_string(checkpoint.resumed()) + " pieces are done.");
  }
  CostMeter meter;
  bool settled = false;
  try {
    Rounds rounds(experiment, reference, checkpoint, observer, meter);
    settled = run_rounds(experiment, rounds, outcomes);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInterrupted) report_interruption(checkpoint);
    throw;
  }
  for (std::size_t t = 0; t < outcomes.size(); ++t) {
    if (!outcomes[t].failure.empty()) warn_of_failure(experiment, t, outcomes[t].failure, observer);
  }
  observer.note("Fitting grids took " + format_number(meter.fit_seconds()) + " s of processor time.");
  Sensitivity result = make_sensitivity(experiment, reference, outcomes, settled);
  price_unexercised(experiment, outcomes, result, observer);
  checkpoint.remove();
  if (cost != nullptr) {
    *cost = cost_of(meter, reference, std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return result;
}

}  // namespace mpq::perturb
