#include <chrono>
#include <numeric>

#include "mpq/error.h"

#include "analyze/adjoint_engine.h"
#include "analyze/agreement.h"
#include "analyze/checkpoint.h"
#include "analyze/cost_bound.h"
#include "analyze/engine.h"
#include "analyze/experiment.h"
#include "analyze/piece_engine.h"
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

/// Returns the tasks that are left to be measured by reruns.
std::vector<std::size_t> adjoint_first(const Experiment& experiment, const Reference& reference, Observer& observer,
                                       CostMeter& meter, std::vector<TaskOutcome>& outcomes) {
  const std::vector<Unpriced> unpriced = price_by_adjoint(experiment, reference, observer, meter, outcomes);
  warn_of_unpriced(experiment, unpriced, observer);
  std::vector<std::size_t> tasks;
  for (const Unpriced& entry : unpriced) tasks.push_back(entry.task);
  return tasks;
}

/// Every damage a full forward pass; where trials were run, as many as they took.
double full_reruns(const std::vector<TaskOutcome>& outcomes, const Reference& reference, const CostMeter& meter) {
  if (reference.engine != "adjoint") return static_cast<double>(meter.runs());
  std::size_t damages = 0;
  for (const TaskOutcome& outcome : outcomes) {
    for (const std::vector<double>& row : outcome.damages) damages += row.size();
  }
  return static_cast<double>(damages);
}

AnalysisCost cost_of(const CostMeter& meter, const Reference& reference, const std::vector<TaskOutcome>& outcomes,
                     double bound, double seconds) {
  AnalysisCost cost;
  cost.seconds = seconds;
  cost.forward_seconds = reference.forward_seconds;
  cost.forward_equivalents = meter.seconds() / reference.forward_seconds;
  cost.full_rerun_equivalents = full_reruns(outcomes, reference, meter);
  cost.bound_equivalents = bound;
  cost.trial_runs = meter.runs();
  return cost;
}

/// Everything measured, as a record.
Sensitivity finished(const Experiment& experiment, const Reference& reference, const std::vector<TaskOutcome>& outcomes,
                     Observer& observer) {
  for (std::size_t t = 0; t < outcomes.size(); ++t) {
    if (!outcomes[t].failure.empty()) warn_of_failure(experiment, t, outcomes[t].failure, observer);
  }
  Sensitivity result = make_sensitivity(experiment, reference, outcomes);
  price_unexercised(experiment, outcomes, result, observer);
  return result;
}

/// Reruns would need the whole network; layers that the adjoint does not reach are left alone.
Sensitivity analyze_pieces(const Experiment& experiment, const graph::MemoryPlan& memory, Observer& observer,
                           AnalysisCost* cost) {
  const auto begin = Clock::now();
  const PieceForward forward(experiment, memory, observer);
  observer.note("The network runs in " + std::to_string(forward.pieces().size()) + " pieces within " +
                format_bytes(memory.limit_bytes) + " of memory.");
  Reference reference = reference_of(
      experiment, [&](std::size_t trial) { return forward.outputs(trial); }, observer);
  reference.forward_seconds = forward.pass().forward_seconds();
  if (reference.engine != "adjoint") {
    throw Error(ErrorCode::kUsage,
                "Within the memory limit only the adjoint works: reruns need the whole network in memory.",
                "--engine " + experiment.options.engine,
                "Give a larger --memory-limit, or leave engine, metric, place and aggregation at their defaults.");
  }
  CostBound bound(experiment, reference, observer);
  bound.announce_pieces();
  std::vector<TaskOutcome> outcomes(experiment.tasks.size());
  for (std::size_t t = 0; t < outcomes.size(); ++t) outcomes[t].failure = experiment.tasks[t].failure;
  CostMeter meter;
  for (const auto& [task, reason] :
       price_by_pieces(experiment, reference, forward, memory, observer, meter, outcomes)) {
    outcomes[task].failure = "The adjoint stops at " + reason + ", and reruns need more memory than the limit allows.";
  }
  observer.note("Fitting grids took " + format_number(meter.fit_seconds()) + " s of processor time.");
  if (cost != nullptr) {
    const std::chrono::duration<double> spent = Clock::now() - begin;
    *cost = cost_of(meter, reference, outcomes, bound.equivalents(), spent.count());
  }
  return finished(experiment, reference, outcomes, observer);
}

}  // namespace

Sensitivity analyze_candidates(const Model& model, const Samples& samples,
                               const std::vector<std::vector<Candidate>>& candidates, const AnalyzeOptions& options,
                               Observer& observer, AnalysisCost* cost) {
  options.validate();
  const auto begin = Clock::now();
  const Experiment experiment = make_experiment(model, samples, candidates, options, observer);
  const graph::MemoryPlan memory = graph::plan_memory(model, options.memory_limit_bytes);
  if (memory.pieces) return analyze_pieces(experiment, memory, observer, cost);
  const Reference reference = measure_reference(experiment, observer);
  std::vector<TaskOutcome> outcomes(experiment.tasks.size());
  for (std::size_t t = 0; t < outcomes.size(); ++t) outcomes[t].failure = experiment.tasks[t].failure;

  CostMeter meter;
  std::vector<std::size_t> reruns(outcomes.size());
  std::iota(reruns.begin(), reruns.end(), std::size_t{0});

  Checkpoint checkpoint(options.checkpoint_path, checkpoint_key(experiment));
  if (checkpoint.resumed() > 0) {
    observer.note("An interrupted analysis is taken up: " + std::to_string(checkpoint.resumed()) + " pieces are done.");
  }
  std::optional<EngineAgreement> agreement;
  CostBound bound(experiment, reference, observer);
  try {
    if (reference.engine == "adjoint") {
      bound.announce_adjoint();
      reruns = adjoint_first(experiment, reference, observer, meter, outcomes);
      if (options.engine == "auto" && experiment.shard().part == 1)
        agreement = agreement_with_reruns(experiment, reference, bound, observer, meter, outcomes);
    }
    if (!reruns.empty()) {
      bound.announce_reruns(reruns);
      Rounds rounds(experiment, reference, checkpoint, observer, meter);
      run_until_settled(experiment, rounds, reruns, outcomes);
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInterrupted) report_interruption(checkpoint);
    throw;
  }
  observer.note("Fitting grids took " + format_number(meter.fit_seconds()) + " s of processor time.");
  Sensitivity result = finished(experiment, reference, outcomes, observer);
  result.agreement = agreement;
  checkpoint.remove();
  if (cost != nullptr) {
    const std::chrono::duration<double> spent = Clock::now() - begin;
    *cost = cost_of(meter, reference, outcomes, bound.equivalents(), spent.count());
  }
  return result;
}

}  // namespace mpq::perturb
