#include <chrono>
#include <numeric>

#include "mpq/error.h"

#include "analyze/adjoint_engine.h"
#include "analyze/checkpoint.h"
#include "analyze/doubtful.h"
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

bool by_adjoint(const std::string& engine) { return engine == "adjoint" || engine == "auto"; }

/// Returns the tasks that are left to be measured by reruns.
std::vector<std::size_t> adjoint_first(const Experiment& experiment, const Reference& reference,
                                       const std::string& engine, Observer& observer, CostMeter& meter,
                                       std::vector<TaskOutcome>& outcomes) {
  const std::vector<Unpriced> unpriced = price_by_adjoint(experiment, reference, observer, meter, outcomes);
  warn_of_unpriced(experiment, unpriced, observer);
  if (engine == "auto") rerun_doubtful(experiment, reference, observer, meter, outcomes);
  std::vector<std::size_t> tasks;
  for (const Unpriced& entry : unpriced) tasks.push_back(entry.task);
  return tasks;
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

  const std::string engine = engine_of(options);
  CostMeter meter;
  std::vector<std::size_t> reruns(outcomes.size());
  std::iota(reruns.begin(), reruns.end(), std::size_t{0});

  Checkpoint checkpoint(options.checkpoint_path, checkpoint_key(experiment));
  if (checkpoint.resumed() > 0) {
    observer.note("An interrupted analysis is taken up: " + std::to_string(checkpoint.resumed()) + " pieces are done.");
  }
  bool settled = false;
  try {
    if (by_adjoint(engine)) reruns = adjoint_first(experiment, reference, engine, observer, meter, outcomes);
    if (!reruns.empty()) {
      Rounds rounds(experiment, reference, checkpoint, observer, meter);
      settled = run_until_settled(experiment, rounds, reruns, outcomes);
    }
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
