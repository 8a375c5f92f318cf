#include "analyze/adjoint_engine.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include "mpq/error.h"

#include "analyze/adjoint_heads.h"
#include "analyze/adjoint_observe.h"
#include "analyze/adjoint_products.h"
#include "graph/adjoint/upgrade.h"
#include "graph/adjoint/write_out.h"
#include "quantize/rows.h"
#include "runtime/session.h"
#include "runtime/taken_branches.h"
#include "support/parallel.h"
#include "support/text.h"

namespace mpq::perturb {

namespace {

namespace adjoint = graph::adjoint;

using Tasks = std::vector<std::size_t>;

std::int64_t adjoint_bytes(const Experiment& experiment, std::size_t task) {
  return experiment.layer_of(experiment.tasks[task]).parameters * static_cast<std::int64_t>(sizeof(float)) *
         experiment.options.probes;
}

/// Layers whose weights' adjoints are computed at the same time, at most `limit_bytes` of them.
std::vector<Tasks> groups_of(const Experiment& experiment, const Tasks& tasks, std::int64_t limit_bytes) {
  std::vector<Tasks> groups;
  std::int64_t held = 0;
  for (const std::size_t task : tasks) {
    const std::int64_t bytes = adjoint_bytes(experiment, task);
    if (groups.empty() || held + bytes > limit_bytes) {
      groups.emplace_back();
      held = 0;
    }
    groups.back().push_back(task);
    held += bytes;
  }
  return groups;
}

/// The network as the adjoint is written for it: for the shapes of one sample.
struct Shaped {
  graph::RunForm form;
  adjoint::FactsMap facts;
};

/// One graph, the trials of its shapes, and what they gave.
struct Group {
  const adjoint::AdjointGraph& graph;
  const adjoint::FactsMap& facts;
  const runtime::Session& session;
  const std::vector<std::size_t>& trials;
  const Tasks& tasks;                  ///< parallel to graph.weights
  std::vector<ProductTable> products;  ///< per task
  std::vector<Tensor> dense;           ///< per task: adjoints of a batch of trials, [trials * probes, weights]
  std::vector<std::vector<std::vector<Tensor>>> gathered;  ///< per task, part: adjoint and indices of every trial
};

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
  void run_shapes(const SameShapes& shapes, const Tasks& tasks);
  Shaped shaped_for(const Feed& sample) const;
  void run_group(const SameShapes& shapes, const Shaped& shaped, const Tasks& tasks);
  void run_batches(Group& group);
  void run_trial(Group& group, std::size_t trial, std::size_t place);
  void announce(std::size_t layers);
  void multiply(Group& group, std::size_t task, std::size_t first, std::size_t count);
  void add_energies(const Group& group, std::size_t task, std::size_t first, std::size_t count);
  void multiply_gathered(Group& group, std::size_t task) const;
  std::size_t batch_of(const Group& group) const;
  Feed feed_of(const adjoint::AdjointGraph& graph, const adjoint::FactsMap& facts, std::size_t trial) const;
  void give_up(const Tasks& tasks, const std::string& reason);
  std::int64_t table_rows(std::size_t task) const {
    return experiment_.layer_of(experiment_.tasks[task]).shape.front();
  }
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
  RowProducts row_products_;
  graph::RunForm form_;
  std::vector<std::string> reasons_;  ///< per task: why it is measured by reruns
  std::mutex mutex_;
  std::size_t done_ = 0;  ///< trials of layers; guarded by mutex_
};

void Engine::give_up(const Tasks& tasks, const std::string& reason) {
  for (const std::size_t task : tasks) {
    if (reasons_[task].empty()) reasons_[task] = reason;
  }
}

std::vector<Unpriced> Engine::run() {
  Tasks tasks;
  for (std::size_t t = 0; t < experiment_.tasks.size(); ++t) {
    if (outcomes_[t].failure.empty() && !experiment_.tasks[t].candidates.empty()) tasks.push_back(t);
  }
  for (const std::size_t t : tasks) {
    outcomes_[t].damages.assign(experiment_.tasks[t].candidates.size(),
                                std::vector<double>(experiment_.trial_cap, 0.0));
  }
  try {
    form_ = adjoint::upgraded(runtime::taken_branches(experiment_.form, experiment_.samples));
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
  Shaped shaped;
  try {
    shaped = shaped_for(sample);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInterrupted) throw;
    throw adjoint::NoRule(error.what());
  }
  cost_.add(thread_seconds() - begin, 0, 1);
  Tasks open;
  std::copy_if(tasks.begin(), tasks.end(), std::back_inserter(open),
               [&](std::size_t t) { return reasons_[t].empty(); });
  const std::int64_t limit = experiment_.options.activation_memory_bytes / 4;
  for (const Tasks& group : groups_of(experiment_, open, limit)) run_group(shapes, shaped, group);
}

Shaped Engine::shaped_for(const Feed& sample) const {
  Shaped shaped{form_, observe(experiment_, form_, sample)};
  shaped.form = adjoint::written_out(form_, shaped.facts);
  if (shaped.form.index != form_.index) shaped.facts = observe(experiment_, shaped.form, sample);
  if (shaped.form.index != experiment_.form.index) {
    require_same_outputs(experiment_, reference_, shaped.form, sample);
  }
  return shaped;
}

void Engine::run_group(const SameShapes& shapes, const Shaped& shaped, const Tasks& tasks) {
  std::vector<std::string> weights;
  for (const std::size_t task : tasks) weights.push_back(experiment_.form.weight_names[experiment_.tasks[task].layer]);
  try {
    const double begin = thread_seconds();
    const adjoint::AdjointGraph graph =
        adjoint::build(shaped.form.model, shaped.facts, weights, heads_, experiment_.options.probes);
    Tasks dense;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      const adjoint::WeightAdjoint& weight = graph.weights[i];
      if (!weight.stop.empty()) give_up({tasks[i]}, weight.stop);
      if (!weight.dense.empty()) dense.push_back(tasks[i]);
      // Where the adjoint does not arrive though the layer leads to an output, the samples take other branches.
      const bool leads = !experiment_.tasks[tasks[i]].boundary.empty();
      if (leads || !weight.dense.empty() || !weight.gathered.empty())
        outcomes_[tasks[i]].runs += static_cast<std::int64_t>(shapes.trials.size());
    }
    if (graph.model.graph().output().empty()) return;
    const runtime::Session session(graph.model, *shaped.form.store,
                                   {.optimization_level = optimization_level(experiment_, shaped.form)});
    cost_.add(thread_seconds() - begin, 0, 0);
    errors_.prepare(dense);
    Group group{graph, shaped.facts, session, shapes.trials, tasks, {}, {}, {}};
    run_batches(group);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInterrupted) throw;
    give_up(tasks, error.what());
  }
}

/// Trials whose adjoints are held at the same time.
std::size_t Engine::batch_of(const Group& group) const {
  std::int64_t bytes = 1;
  for (std::size_t i = 0; i < group.tasks.size(); ++i) {
    if (!group.graph.weights[i].dense.empty()) bytes += adjoint_bytes(experiment_, group.tasks[i]);
  }
  const std::int64_t fitting = experiment_.options.activation_memory_bytes / 4 / bytes;
  const std::size_t trials = group.trials.size();
  const std::size_t most = std::clamp<std::size_t>(static_cast<std::size_t>(fitting), 1, trials);
  const std::size_t batches = (trials + most - 1) / most;
  return (trials + batches - 1) / batches;
}

void Engine::run_batches(Group& group) {
  const auto probes = static_cast<std::size_t>(experiment_.options.probes);
  const std::size_t batch = batch_of(group);
  for (std::size_t i = 0; i < group.tasks.size(); ++i) {
    const Task& task = experiment_.tasks[group.tasks[i]];
    const adjoint::WeightAdjoint& weight = group.graph.weights[i];
    group.products.emplace_back(task.candidates.size(), group.trials.size(), probes);
    const auto rows = static_cast<std::int64_t>(weight.dense.empty() ? 0 : batch * probes);
    group.dense.emplace_back(DType::kFloat32, std::vector<std::int64_t>{rows, experiment_.layer_of(task).parameters});
    group.gathered.emplace_back(2 * weight.gathered.size(), std::vector<Tensor>(group.trials.size()));
  }
  const int threads = resolve_threads(experiment_.options.threads);
  for (std::size_t first = 0; first < group.trials.size(); first += batch) {
    const std::size_t count = std::min(batch, group.trials.size() - first);
    parallel_for(count, threads, [&](std::size_t k, int) { run_trial(group, first + k, k); });
    parallel_for(group.tasks.size(), threads, [&](std::size_t i, int) { multiply(group, i, first, count); });
  }
  parallel_for(group.tasks.size(), threads, [&](std::size_t i, int) { multiply_gathered(group, i); });
  for (std::size_t i = 0; i < group.tasks.size(); ++i) {
    auto& damages = outcomes_[group.tasks[i]].damages;
    for (std::size_t c = 0; c < damages.size(); ++c) {
      for (std::size_t k = 0; k < group.trials.size(); ++k) {
        damages[c][group.trials[k]] = std::min(group.products[i].damage(c, k), kDestroyed);
      }
    }
  }
}

Feed Engine::feed_of(const adjoint::AdjointGraph& graph, const adjoint::FactsMap& facts, std::size_t trial) const {
  Feed feed = experiment_.samples[experiment_.sample_of(trial)];
  for (std::size_t h = 0; h < heads_.size(); ++h) {
    feed.insert_or_assign(graph.probes[h],
                          draw_probes(experiment_, reference_, heads_[h], trial, facts.at(heads_[h].value).shape));
  }
  return feed;
}

/// `place`: of the trial in its batch.
void Engine::run_trial(Group& group, std::size_t trial, std::size_t place) {
  stop_if_cancelled();
  const double begin = thread_seconds();
  const std::int64_t probes = experiment_.options.probes;
  std::vector<std::string> names;
  std::vector<runtime::Place> places;
  std::vector<Tensor*> targets;
  for (std::size_t i = 0; i < group.tasks.size(); ++i) {
    const adjoint::WeightAdjoint& weight = group.graph.weights[i];
    const Layer& layer = experiment_.layer_of(experiment_.tasks[group.tasks[i]]);
    if (!weight.dense.empty()) {
      const auto row = place * static_cast<std::size_t>(probes * layer.parameters);
      names.push_back(weight.dense);
      places.push_back({group.dense[i].as_mutable<float>().data() + row,
                        adjoint::joined({probes}, group.facts.at(weight.weight).shape)});
      targets.push_back(nullptr);
    }
    for (std::size_t part = 0; part < weight.gathered.size(); ++part) {
      names.push_back(weight.gathered[part].adjoint);
      names.push_back(weight.gathered[part].indices);
      places.resize(names.size());
      targets.push_back(&group.gathered[i][2 * part][trial]);
      targets.push_back(&group.gathered[i][2 * part + 1][trial]);
    }
  }
  std::vector<Tensor> values = group.session.run(feed_of(group.graph, group.facts, group.trials[trial]), names, places);
  for (std::size_t v = 0; v < values.size(); ++v) {
    if (targets[v] != nullptr) *targets[v] = std::move(values[v]);
  }
  cost_.add(thread_seconds() - begin, 0, 1);
  announce(group.tasks.size());
}

/// One more trial of so many layers is done.
void Engine::announce(std::size_t layers) {
  double done = 0;
  {
    const std::lock_guard lock(mutex_);
    done = static_cast<double>(done_ += layers);
  }
  observer_.progress("analyze", done, static_cast<double>(experiment_.tasks.size() * experiment_.trial_cap),
                     "reverse passes");
}

/// Of the trials [first, first + count), which the batch holds.
void Engine::multiply(Group& group, std::size_t task, std::size_t first, std::size_t count) {
  if (group.graph.weights[task].dense.empty()) return;
  stop_if_cancelled();
  const double begin = thread_seconds();
  const auto probes = static_cast<std::size_t>(experiment_.options.probes);
  const Tensor products = row_products_(*errors_.get(group.tasks[task]), group.dense[task]);
  const auto rows = static_cast<std::size_t>(products.shape()[1]);
  for (std::size_t c = 0; c < static_cast<std::size_t>(products.shape()[0]); ++c) {
    for (std::size_t row = 0; row < count * probes; ++row) {
      group.products[task].add(c, first + row / probes, row % probes,
                               static_cast<double>(products.as<float>()[c * rows + row]));
    }
  }
  add_energies(group, task, first, count);
  cost_.add(thread_seconds() - begin, 0, 0);
}

void Engine::add_energies(const Group& group, std::size_t task, std::size_t first, std::size_t count) {
  const auto& forms = experiment_.options.forms;
  const Layer& layer = experiment_.layer_of(experiment_.tasks[group.tasks[task]]);
  if (std::find(forms.begin(), forms.end(), "rows") == forms.end() || layer.channel_axes.empty()) return;
  const quant::Rows rows(quant::scale_layout(layer, {8, "grid", 0}));
  const auto probes = static_cast<std::size_t>(experiment_.options.probes);
  const auto size = static_cast<std::size_t>(layer.parameters);
  const std::span<const float> adjoints = group.dense[task].as<float>();
  for (std::size_t i = 0; i < count * probes; ++i) {
    const std::size_t half = group.trials[first + i / probes] % 2;
    quant::add_squares(rows, adjoints.subspan(i * size, size), outcomes_[group.tasks[task]].row_energies[half]);
  }
}

void Engine::multiply_gathered(Group& group, std::size_t task) const {
  if (group.gathered[task].empty()) return;
  const Task& description = experiment_.tasks[group.tasks[task]];
  const std::vector<float> weight = experiment_.model.weight(description.layer);
  const auto probes = static_cast<std::size_t>(experiment_.options.probes);
  for (std::size_t c = 0; c < description.candidates.size(); ++c) {
    stop_if_cancelled();
    const std::vector<float> error = errors_.one(group.tasks[task], c, weight);
    const double begin = thread_seconds();
    for (std::size_t part = 0; part < group.gathered[task].size(); part += 2) {
      for (std::size_t k = 0; k < group.trials.size(); ++k) {
        for (std::size_t r = 0; r < probes; ++r) {
          group.products[task].add(c, k, r,
                                   gathered_product(group.gathered[task][part][k], group.gathered[task][part + 1][k],
                                                    error, table_rows(group.tasks[task]), r));
        }
      }
    }
    cost_.add(thread_seconds() - begin, 0, 0);
  }
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
