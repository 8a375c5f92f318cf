#include "analyze/rounds.h"

#include <algorithm>

#include "support/parallel.h"

namespace mpq::perturb {

namespace {

void add_to(TaskOutcome& outcome, const ItemResult& result) {
  if (!result.failure.empty()) {
    outcome.failure = result.failure;
    return;
  }
  outcome.runs += result.runs;
  outcome.damages.resize(result.damages.size());
  for (std::size_t c = 0; c < result.damages.size(); ++c) {
    outcome.damages[c].insert(outcome.damages[c].end(), result.damages[c].begin(), result.damages[c].end());
  }
}

/// Tasks that more trials would still teach something about.
std::vector<std::size_t> active_tasks(const Experiment& experiment, const std::vector<std::size_t>& among,
                                      const std::vector<TaskOutcome>& outcomes) {
  std::vector<std::size_t> active;
  for (const std::size_t t : among) {
    if (!outcomes[t].failure.empty() || experiment.tasks[t].candidates.empty()) continue;
    if (outcomes[t].damages.empty() || !precise(outcomes[t].damages)) active.push_back(t);
  }
  return active;
}

}  // namespace

Rounds::Rounds(const Experiment& experiment, const Reference& reference, Checkpoint& checkpoint, Observer& observer,
               CostMeter& cost)
    : experiment_(experiment),
      reference_(reference),
      checkpoint_(checkpoint),
      observer_(observer),
      cost_(cost),
      stored_(experiment),
      value_bytes_(value_bytes(experiment)) {}

void Rounds::run(TrialRange range, const std::vector<std::size_t>& active, std::vector<TaskOutcome>& outcomes) {
  for (const CaptureGroup& group : plan_capture(experiment_, value_bytes_, active, range.count)) {
    for (std::size_t done = 0; done < range.count; done += group.trials_per_pass) {
      run_pass(group, {range.first + done, std::min(group.trials_per_pass, range.count - done)}, outcomes);
    }
  }
}

/// Layers are the unit of work; networks of few layers are split by trials too, so that many cores find work.
/// How does not depend on the number of threads, because a session's shapes may follow from its trials.
std::vector<Rounds::Item> Rounds::items_of(const CaptureGroup& group, TrialRange range) const {
  constexpr std::size_t kEnoughItems = 16;
  const std::size_t layers = experiment_.tasks.size();
  const std::size_t pieces = std::min(range.count, (kEnoughItems + layers - 1) / layers);
  std::vector<Item> items;
  for (const std::size_t task : group.tasks) {
    for (std::size_t piece = 0; piece < pieces; ++piece) {
      const std::size_t begin = range.count * piece / pieces, end = range.count * (piece + 1) / pieces;
      items.push_back({task, {range.first + begin, end - begin}});
    }
  }
  return items;
}

void Rounds::run_pass(const CaptureGroup& group, TrialRange range, std::vector<TaskOutcome>& outcomes) {
  const std::vector<Item> items = items_of(group, range);
  std::vector<ItemResult> results(items.size());
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (auto known = checkpoint_.find(items[i].task, items[i].range)) {
      results[i] = std::move(*known);
      announce(items[i]);
    } else {
      missing.push_back(i);
    }
  }
  if (!missing.empty()) {
    const Captured captured = capture(experiment_, group, range, cost_);
    parallel_for(missing.size(), resolve_threads(experiment_.options.threads),
                 [&](std::size_t i, int) { results[missing[i]] = run_item(items[missing[i]], captured); });
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    TaskOutcome& outcome = outcomes[items[i].task];
    if (outcome.failure.empty() && !results[i].remark.empty() && range.first == 0 && items[i].range.first == 0) {
      observer_.warn(results[i].remark, "");
    }
    add_to(outcome, results[i]);
  }
}

ItemResult Rounds::run_item(const Item& item, const Captured& captured) {
  const double begin = thread_seconds();
  ItemResult result = run_trials(experiment_, reference_, stored_, item.task, item.range, captured, observer_);
  cost_.add(thread_seconds() - begin - result.fit_seconds, result.fit_seconds, result.runs);
  checkpoint_.append(item.task, item.range, result);
  announce(item);
  return result;
}

void Rounds::announce(const Item& item) {
  double done = 0;
  {
    const std::lock_guard lock(mutex_);
    done = trials_done_ += static_cast<double>(item.range.count);
  }
  const double total = static_cast<double>(experiment_.tasks.size() * experiment_.trial_cap);
  observer_.progress("analyze", done, total, experiment_.layer_of(experiment_.tasks[item.task]).name);
}

void run_until_settled(const Experiment& experiment, Rounds& rounds, const std::vector<std::size_t>& among,
                       std::vector<TaskOutcome>& outcomes) {
  bool settled = false;
  for (const TrialRange& range : experiment.rounds()) {
    const std::vector<std::size_t> active = active_tasks(experiment, among, outcomes);
    if (settled || active.empty()) break;
    rounds.run(range, active, outcomes);
    settled = experiment.adaptive() && ranking_settled(reference_rows(experiment, outcomes));
  }
}

}  // namespace mpq::perturb
