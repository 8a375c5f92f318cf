#include "analyze/adjoint_engine.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "mpq/error.h"

#include "analyze/adjoint_heads.h"
#include "analyze/adjoint_observe.h"
#include "analyze/adjoint_products.h"
#include "graph/adjoint/upgrade.h"
#include "runtime/session.h"
#include "support/parallel.h"
#include "support/text.h"

namespace mpq::perturb {

namespace {

namespace adjoint = graph::adjoint;

using Tasks = std::vector<std::size_t>;

/// Trials whose samples have the same shapes: one graph serves them.
struct SameShapes {
  std::vector<std::size_t> trials;
};

std::vector<SameShapes> by_shapes(const Experiment& experiment) {
  std::map<std::vector<std::vector<std::int64_t>>, std::size_t> known;
  std::vector<SameShapes> result;
  for (std::size_t k = 0; k < experiment.trial_cap; ++k) {
    std::vector<std::vector<std::int64_t>> shapes;
    for (const auto& [name, tensor] : experiment.samples[experiment.sample_of(k)]) shapes.push_back(tensor.shape());
    const auto [entry, is_new] = known.try_emplace(shapes, result.size());
    if (is_new) result.emplace_back();
    result[entry->second].trials.push_back(k);
  }
  return result;
}

/// Layers whose weights' adjoints are computed at the same time, at most `limit_bytes` of them.
std::vector<Tasks> groups_of(const Experiment& experiment, const Tasks& tasks, std::int64_t limit_bytes) {
  std::vector<Tasks> groups;
  std::int64_t held = 0;
  for (const std::size_t task : tasks) {
    const std::int64_t bytes = experiment.layer_of(experiment.tasks[task]).parameters *
                               static_cast<std::int64_t>(sizeof(float)) * experiment.options.probes;
    if (groups.empty() || held + bytes > limit_bytes) {
      groups.emplace_back();
      held = 0;
    }
    groups.back().push_back(task);
    held += bytes;
  }
  return groups;
}

bool finite(const TaskOutcome& outcome) {
  return std::all_of(outcome.damages.begin(), outcome.damages.end(), [](const std::vector<double>& row) {
    return std::all_of(row.begin(), row.end(), [](double damage) { return std::isfinite(damage); });
  });
}

class Engine {
 public:
  Engine(const Experiment& experiment, const Reference& reference, Observer& observer, CostMeter& cost,
         std::vector<TaskOutcome>& outcomes)
      : experiment_(experiment),
        reference_(reference),
        observer_(observer),
        cost_(cost),
        outcomes_(outcomes),
        heads_(heads_of(experiment, reference)),
        stored_(experiment),
        errors_(experiment, stored_, experiment.options.activation_memory_bytes / 2),
        reasons_(experiment.tasks.size()) {}

  std::vector<Unpriced> run();

 private:
  void fit(const Tasks& tasks);
  void run_shapes(const SameShapes& shapes, const Tasks& tasks);
  void run_group(const SameShapes& shapes, const adjoint::FactsMap& facts, const Tasks& group);
  void run_trial(const runtime::Session& session, const adjoint::AdjointGraph& graph, const adjoint::FactsMap& facts,
                 std::size_t trial, const Tasks& group);
  Feed feed_of(const adjoint::AdjointGraph& graph, const adjoint::FactsMap& facts, std::size_t trial) const;
  void give_up(const Tasks& tasks, const std::string& reason);
  void stop_if_cancelled() const {
    if (observer_.cancelled()) throw Error(ErrorCode::kInterrupted, "The analysis was interrupted.");
  }

  const Experiment& experiment_;
  const Reference& reference_;
  Observer& observer_;
  CostMeter& cost_;
  std::vector<TaskOutcome>& outcomes_;
  std::vector<adjoint::Head> heads_;
  StoredWeights stored_;
  ErrorCache errors_;
  graph::RunForm form_;
  std::vector<std::string> reasons_;  ///< per task: why it is measured by reruns
  std::size_t done_ = 0;              ///< trials, of all groups
};

void Engine::give_up(const Tasks& tasks, const std::string& reason) {
  for (const std::size_t task : tasks) {
    if (reasons_[task].empty()) reasons_[task] = reason;
  }
}

void Engine::fit(const Tasks& tasks) {
  for (const std::size_t task : tasks) {
    stop_if_cancelled();
    const double begin = thread_seconds();
    errors_.prepare(task);
    cost_.add(0, thread_seconds() - begin, 0);
  }
}

std::vector<Unpriced> Engine::run() {
  Tasks tasks;
  for (std::size_t t = 0; t < experiment_.tasks.size(); ++t) {
    if (outcomes_[t].failure.empty() && !experiment_.tasks[t].candidates.empty()) tasks.push_back(t);
  }
  fit(tasks);
  for (const std::size_t t : tasks) {
    outcomes_[t].damages.assign(experiment_.tasks[t].candidates.size(),
                                std::vector<double>(experiment_.trial_cap, 0.0));
  }
  try {
    form_ = adjoint::upgraded(experiment_.form);
    for (const SameShapes& shapes : by_shapes(experiment_)) run_shapes(shapes, tasks);
  } catch (const adjoint::NoRule& reason) {
    give_up(tasks, reason.what());
  }
  std::vector<Unpriced> unpriced;
  for (const std::size_t t : tasks) {
    if (reasons_[t].empty() && !finite(outcomes_[t])) reasons_[t] = "a gradient that is no finite number";
    if (reasons_[t].empty()) continue;
    unpriced.push_back({t, reasons_[t]});
    outcomes_[t] = {};
  }
  return unpriced;
}

void Engine::run_shapes(const SameShapes& shapes, const Tasks& tasks) {
  stop_if_cancelled();
  const Feed& sample = experiment_.samples[experiment_.sample_of(shapes.trials.front())];
  const double begin = thread_seconds();
  adjoint::FactsMap facts;
  try {
    require_same_outputs(experiment_, reference_, form_, sample);
    facts = observe(experiment_, form_, sample);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInterrupted) throw;
    throw adjoint::NoRule(error.what());
  }
  cost_.add(thread_seconds() - begin, 0, 1);
  Tasks open;
  std::copy_if(tasks.begin(), tasks.end(), std::back_inserter(open),
               [&](std::size_t t) { return reasons_[t].empty(); });
  const std::int64_t limit = experiment_.options.activation_memory_bytes / 4;
  for (const Tasks& group : groups_of(experiment_, open, limit)) run_group(shapes, facts, group);
}

void Engine::run_group(const SameShapes& shapes, const adjoint::FactsMap& facts, const Tasks& group) {
  std::vector<std::string> weights;
  for (const std::size_t task : group) weights.push_back(experiment_.form.weight_names[experiment_.tasks[task].layer]);
  try {
    const double begin = thread_seconds();
    const adjoint::AdjointGraph graph = adjoint::build(form_.model, facts, weights, heads_, experiment_.options.probes);
    for (std::size_t i = 0; i < group.size(); ++i) {
      const adjoint::WeightAdjoint& weight = graph.weights[i];
      if (!weight.stop.empty()) give_up({group[i]}, weight.stop);
      const bool reached = !weight.dense.empty() || !weight.gathered.empty();
      if (reached) outcomes_[group[i]].runs += static_cast<std::int64_t>(shapes.trials.size());
    }
    if (graph.model.graph().output().empty()) return;
    const runtime::Session session(graph.model, *form_.store);
    cost_.add(thread_seconds() - begin, 0, 0);
    parallel_for(shapes.trials.size(), resolve_threads(experiment_.options.threads),
                 [&](std::size_t i, int) { run_trial(session, graph, facts, shapes.trials[i], group); });
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInterrupted) throw;
    give_up(group, error.what());
  }
  done_ += shapes.trials.size() * group.size();
  observer_.progress("analyze", static_cast<double>(done_),
                     static_cast<double>(experiment_.tasks.size() * experiment_.trial_cap), "reverse passes");
}

Feed Engine::feed_of(const adjoint::AdjointGraph& graph, const adjoint::FactsMap& facts, std::size_t trial) const {
  Feed feed = experiment_.samples[experiment_.sample_of(trial)];
  for (std::size_t h = 0; h < heads_.size(); ++h) {
    feed.insert_or_assign(graph.probes[h],
                          draw_probes(experiment_, reference_, heads_[h], trial, facts.at(heads_[h].value).shape));
  }
  return feed;
}

void Engine::run_trial(const runtime::Session& session, const adjoint::AdjointGraph& graph,
                       const adjoint::FactsMap& facts, std::size_t trial, const Tasks& group) {
  stop_if_cancelled();
  const double begin = thread_seconds();
  std::vector<std::string> names;
  for (const auto& output : graph.model.graph().output()) names.push_back(output.name());
  const std::vector<Tensor> values = session.run(feed_of(graph, facts, trial), names);
  std::map<std::string, const Tensor*> by_name;
  for (std::size_t i = 0; i < names.size(); ++i) by_name[names[i]] = &values[i];
  const double ran = thread_seconds();
  for (std::size_t i = 0; i < group.size(); ++i) {
    const adjoint::WeightAdjoint& weight = graph.weights[i];
    if (weight.dense.empty() && weight.gathered.empty()) continue;
    const auto errors = errors_.get(group[i]);
    Products products(*errors, experiment_.options.probes);
    if (!weight.dense.empty()) products.add_dense(*by_name.at(weight.dense));
    for (const adjoint::GatheredAdjoint& part : weight.gathered) {
      const Layer& layer = experiment_.layer_of(experiment_.tasks[group[i]]);
      products.add_gathered(*by_name.at(part.adjoint), *by_name.at(part.indices), layer.shape.front());
    }
    const std::vector<double> squares = products.mean_squares();
    for (std::size_t c = 0; c < squares.size(); ++c)
      outcomes_[group[i]].damages[c][trial] = std::min(squares[c], kDestroyed);
  }
  cost_.add(ran - begin, 0, 1);
  cost_.add(thread_seconds() - ran, 0, 0);
}

}  // namespace

std::vector<Unpriced> price_by_adjoint(const Experiment& experiment, const Reference& reference, Observer& observer,
                                       CostMeter& cost, std::vector<TaskOutcome>& outcomes) {
  return Engine(experiment, reference, observer, cost, outcomes).run();
}

void warn_of_unpriced(const Experiment& experiment, const std::vector<Unpriced>& unpriced, Observer& observer) {
  std::map<std::string, std::vector<std::string>> by_reason;
  for (const Unpriced& entry : unpriced) {
    by_reason[entry.reason].push_back(experiment.layer_of(experiment.tasks[entry.task]).name);
  }
  for (const auto& [reason, layers] : by_reason) {
    const std::string rest = layers.size() > 1 ? " and " + std::to_string(layers.size() - 1) + " more" : "";
    observer.warn("The adjoint stops at " + reason + "; measured by reruns instead: " + layers.front() + rest + ".",
                  "");
  }
}

}  // namespace mpq::perturb
