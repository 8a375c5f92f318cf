#include "analyze/piece_engine.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <set>

#include "mpq/error.h"

#include "analyze/adjoint_heads.h"
#include "analyze/piece_products.h"
#include "graph/run_index.h"
#include "support/memory.h"
#include "support/parallel.h"

namespace mpq::perturb {

namespace {

namespace adjoint = graph::adjoint;

using Tasks = std::vector<std::size_t>;

/// One graph of one piece, for the trials of one shape.
struct Group {
  const graph::Piece& piece;
  std::size_t number;  ///< of the piece
  const adjoint::FactsMap& facts;
  const std::vector<adjoint::Head>& heads;
  std::size_t own_heads;  ///< the first ones: outputs of the network; the others are fed by the pieces behind
  const adjoint::AdjointGraph& graph;
  const runtime::Session& session;
  const Tasks& tasks;                        ///< parallel to graph.weights
  std::vector<LayerAdjoints> adjoints = {};  ///< per task, of a batch of trials
};

class PieceEngine {
 public:
  PieceEngine(const Experiment& experiment, const Reference& reference, const PieceForward& forward,
              const graph::MemoryPlan& memory, Observer& observer, CostMeter& cost, std::vector<TaskOutcome>& outcomes)
      : experiment_(experiment),
        reference_(reference),
        forward_(forward),
        memory_(memory),
        observer_(observer),
        cost_(cost),
        outcomes_(outcomes),
        heads_(heads_of(experiment, reference)),
        crossing_(experiment.trial_cap, memory.crossing_bytes / 2),
        stopped_(forward.shapes().size()),
        reasons_(experiment.tasks.size()) {
    for (const Task& task : experiment.tasks) {
      products_.emplace_back(task.candidates.size(), experiment.trial_cap,
                             static_cast<std::size_t>(experiment.options.probes));
    }
  }

  std::vector<Unpriced> run();

 private:
  Tasks tasks_of(const graph::Piece& piece) const;
  std::vector<Tasks> groups_of(const Tasks& tasks, std::size_t trials) const;
  void run_piece(std::size_t number);
  void run_shapes(std::size_t number, std::size_t shapes);
  void run_group(std::size_t number, std::size_t shapes, const std::vector<adjoint::Head>& heads, std::size_t own_heads,
                 const Tasks& tasks, const adjoint::Border& border);
  void run_batches(Group& group, const std::vector<std::size_t>& trials);
  void run_trial(Group& group, std::size_t trial, std::size_t place);
  Feed feed_of(const Group& group, std::size_t trial) const;
  void pass_on(const std::string& value, std::size_t trial, Tensor adjoint);
  void forget(const graph::Piece& piece);
  std::int64_t adjoint_bytes(std::size_t task) const {
    return experiment_.layer_of(experiment_.tasks[task]).parameters * static_cast<std::int64_t>(sizeof(float)) *
           experiment_.options.probes;
  }
  void give_up(const Tasks& tasks, const std::string& reason) {
    for (const std::size_t task : tasks) {
      if (reasons_[task].empty()) reasons_[task] = reason;
    }
  }

  const Experiment& experiment_;
  const Reference& reference_;
  const PieceForward& forward_;
  const graph::MemoryPlan& memory_;
  Observer& observer_;
  CostMeter& cost_;
  std::vector<TaskOutcome>& outcomes_;
  std::vector<adjoint::Head> heads_;
  runtime::CrossingValues crossing_;                         ///< adjoints of values that cross, by trial
  std::vector<std::map<std::string, std::string>> stopped_;  ///< by shapes: value -> why its adjoint is not known
  std::vector<ProductTable> products_;                       ///< per task, summed over the pieces that use its weight
  std::vector<std::string> reasons_;                         ///< per task: why it is not priced
};

/// The tasks whose weight the piece computes with.
Tasks PieceEngine::tasks_of(const graph::Piece& piece) const {
  const std::set<std::string> constants(piece.constants.begin(), piece.constants.end());
  Tasks tasks;
  for (std::size_t t = 0; t < experiment_.tasks.size(); ++t) {
    const Task& task = experiment_.tasks[t];
    const bool open = outcomes_[t].failure.empty() && reasons_[t].empty() && !task.candidates.empty();
    if (open && constants.count(experiment_.form.weight_names[task.layer]) > 0) tasks.push_back(t);
  }
  return tasks;
}

/// Layers whose adjoints of all trials are held at the same time, one at least.
std::vector<Tasks> PieceEngine::groups_of(const Tasks& tasks, std::size_t trials) const {
  std::vector<Tasks> groups;
  std::int64_t held = 0;
  for (const std::size_t task : tasks) {
    const std::int64_t bytes = adjoint_bytes(task) * static_cast<std::int64_t>(trials);
    if (groups.empty() || held + bytes > memory_.working_bytes / 2) {
      groups.emplace_back();
      held = 0;
    }
    groups.back().push_back(task);
    held += bytes;
  }
  if (groups.empty()) groups.emplace_back();  // the adjoint goes through the piece all the same
  return groups;
}

std::vector<Unpriced> PieceEngine::run() {
  for (std::size_t t = 0; t < outcomes_.size(); ++t) {
    if (!outcomes_[t].failure.empty()) continue;
    outcomes_[t].damages.assign(experiment_.tasks[t].candidates.size(),
                                std::vector<double>(experiment_.trial_cap, 0.0));
  }
  const std::size_t count = forward_.pieces().size();
  for (std::size_t number = count; number-- > 0;) {
    observer_.progress("analyze", static_cast<double>(2 * count - 1 - number), static_cast<double>(2 * count),
                       "backward, piece by piece");
    run_piece(number);
  }
  observer_.progress("analyze", 1, 1, "");
  std::vector<Unpriced> unpriced;
  for (std::size_t t = 0; t < outcomes_.size(); ++t) {
    if (!outcomes_[t].failure.empty()) continue;
    bool finite = true;
    for (std::size_t c = 0; c < outcomes_[t].damages.size(); ++c) {
      for (std::size_t k = 0; k < experiment_.trial_cap; ++k) {
        const double damage = products_[t].damage(c, k);
        finite = finite && std::isfinite(damage);
        outcomes_[t].damages[c][k] = std::min(damage, kDestroyed);
      }
    }
    if (reasons_[t].empty() && !finite) reasons_[t] = "a gradient that is no finite number";
    if (reasons_[t].empty()) continue;
    unpriced.push_back({t, reasons_[t]});
    outcomes_[t] = {};
  }
  return unpriced;
}

void PieceEngine::run_piece(std::size_t number) {
  const graph::Piece& piece = forward_.pieces()[number];
  for (std::size_t s = 0; s < forward_.shapes().size(); ++s) run_shapes(number, s);
  runtime::release_weights(forward_.form(), piece);
  forget(piece);
  trim_memory();
}

/// Adjoints of what the piece computes are needed no more.
void PieceEngine::forget(const graph::Piece& piece) {
  for (const std::string& name : piece.outputs) {
    for (std::size_t k = 0; k < experiment_.trial_cap; ++k) crossing_.drop(k, name);
  }
}

void PieceEngine::run_shapes(std::size_t number, std::size_t shapes) {
  const graph::Piece& piece = forward_.pieces()[number];
  const std::vector<std::size_t>& trials = forward_.shapes()[shapes].trials;
  const adjoint::FactsMap& facts = forward_.facts()[shapes];
  const std::set<std::string> outputs(piece.outputs.begin(), piece.outputs.end());
  std::vector<adjoint::Head> heads;
  for (const adjoint::Head& head : heads_) {
    if (outputs.count(head.value) > 0) heads.push_back(head);
  }
  const std::size_t own = heads.size();
  adjoint::Border border;
  for (const std::string& name : piece.outputs) {
    if (crossing_.has(trials.front(), name)) heads.push_back({name, adjoint::Head::Kind::kDirect});
    const auto stopped = stopped_[shapes].find(name);
    if (stopped != stopped_[shapes].end()) border.stopped.insert(*stopped);
  }
  if (heads.empty() && border.stopped.empty()) return;  // it leads to no output that is measured
  for (const std::string& name : piece.inputs) {
    const bool computed = forward_.form().index->value(forward_.form().index->find(name)).producer >= 0;
    const auto found = facts.find(name);
    if (computed && found != facts.end() && found->second.dtype == DType::kFloat32) border.inputs.push_back(name);
  }
  const std::vector<Tasks> groups = groups_of(tasks_of(piece), trials.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (g == 1) border.inputs.clear();  // one pass brings the adjoint to the pieces before
    run_group(number, shapes, heads, own, groups[g], border);
  }
}

void PieceEngine::run_group(std::size_t number, std::size_t shapes, const std::vector<adjoint::Head>& heads,
                            std::size_t own_heads, const Tasks& tasks, const adjoint::Border& border) {
  const graph::Piece& piece = forward_.pieces()[number];
  const std::vector<std::size_t>& trials = forward_.shapes()[shapes].trials;
  std::vector<std::string> weights;
  for (const std::size_t task : tasks) weights.push_back(experiment_.form.weight_names[experiment_.tasks[task].layer]);
  const auto stop_all = [&](const std::string& reason) {
    give_up(tasks, reason);
    for (const std::string& input : border.inputs) stopped_[shapes].emplace(input, reason);
  };
  try {
    const double begin = thread_seconds();
    const adjoint::AdjointGraph graph =
        adjoint::build(graph::fed_model(forward_.form(), piece, forward_.pass().types()), forward_.facts()[shapes],
                       weights, heads, experiment_.options.probes, border);
    for (const adjoint::WeightAdjoint& input : graph.inputs) {
      if (!input.stop.empty()) stopped_[shapes].emplace(input.weight, input.stop);
    }
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      if (!graph.weights[i].stop.empty()) give_up({tasks[i]}, graph.weights[i].stop);
      if (!graph.weights[i].dense.empty() || !graph.weights[i].gathered.empty())
        outcomes_[tasks[i]].runs += static_cast<std::int64_t>(trials.size());
    }
    if (graph.model.graph().output().empty()) return;
    const runtime::Session session = runtime::weighted_session(graph.model, forward_.form(), piece.weights);
    cost_.add(thread_seconds() - begin, 0, 0);
    Group group{piece, number, forward_.facts()[shapes], heads, own_heads, graph, session, tasks};
    run_batches(group, trials);
  } catch (const adjoint::NoRule& reason) {
    stop_all(reason.what());
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInterrupted || error.code() == ErrorCode::kOutput) throw;
    stop_all(error.what());
  }
}

void PieceEngine::run_batches(Group& group, const std::vector<std::size_t>& trials) {
  std::int64_t bytes = 1;
  for (std::size_t i = 0; i < group.tasks.size(); ++i) {
    if (!group.graph.weights[i].dense.empty()) bytes += adjoint_bytes(group.tasks[i]);
  }
  const auto most = static_cast<std::size_t>(
      std::clamp<std::int64_t>(memory_.working_bytes / 2 / bytes, 1, static_cast<std::int64_t>(trials.size())));
  const std::size_t batches = (trials.size() + most - 1) / most, batch = (trials.size() + batches - 1) / batches;
  const auto probes = static_cast<std::size_t>(experiment_.options.probes);
  for (std::size_t first = 0; first < trials.size(); first += batch) {
    const auto part = std::span(trials).subspan(first, std::min(batch, trials.size() - first));
    group.adjoints.assign(group.tasks.size(), {});
    for (std::size_t i = 0; i < group.tasks.size(); ++i) {
      const adjoint::WeightAdjoint& weight = group.graph.weights[i];
      const auto rows = static_cast<std::int64_t>(weight.dense.empty() ? 0 : part.size() * probes);
      const std::int64_t parameters = experiment_.layer_of(experiment_.tasks[group.tasks[i]]).parameters;
      group.adjoints[i].dense = Tensor(DType::kFloat32, {rows, parameters});
      group.adjoints[i].gathered.assign(2 * weight.gathered.size(), std::vector<Tensor>(part.size()));
    }
    parallel_for(part.size(), resolve_threads(experiment_.options.threads),
                 [&](std::size_t k, int) { run_trial(group, part[k], k); });
    for (std::size_t i = 0; i < group.tasks.size(); ++i) {
      if (observer_.cancelled()) throw Error(ErrorCode::kInterrupted, "The analysis was interrupted.");
      const adjoint::WeightAdjoint& weight = group.graph.weights[i];
      if (weight.dense.empty() && weight.gathered.empty()) continue;
      const std::int64_t left = memory_.working_bytes / 2 - 2 * adjoint_bytes(group.tasks[i]);
      add_products(experiment_, group.tasks[i], group.adjoints[i], part, left, cost_, products_[group.tasks[i]]);
      group.adjoints[i] = {};
    }
  }
}

Feed PieceEngine::feed_of(const Group& group, std::size_t trial) const {
  Feed feed = forward_.pass().inputs_of(group.number, trial);
  for (std::size_t h = 0; h < group.heads.size(); ++h) {
    const adjoint::Head& head = group.heads[h];
    feed.insert_or_assign(group.graph.probes[h], h < group.own_heads ? draw_probes(experiment_, reference_, head, trial,
                                                                                   group.facts.at(head.value).shape)
                                                                     : crossing_.get(trial, head.value));
  }
  return feed;
}

/// `place`: of the trial in its batch.
void PieceEngine::run_trial(Group& group, std::size_t trial, std::size_t place) {
  if (observer_.cancelled()) throw Error(ErrorCode::kInterrupted, "The analysis was interrupted.");
  const double begin = thread_seconds();
  const std::int64_t probes = experiment_.options.probes;
  std::vector<std::string> names;
  std::vector<runtime::Place> places;
  std::vector<std::function<void(Tensor)>> takers;
  const auto ask = [&](const std::string& name, runtime::Place where, std::function<void(Tensor)> take) {
    names.push_back(name);
    places.push_back(std::move(where));
    takers.push_back(std::move(take));
  };
  for (const adjoint::WeightAdjoint& input : group.graph.inputs) {
    if (!input.dense.empty())
      ask(input.dense, {}, [&, trial](Tensor value) { pass_on(input.weight, trial, std::move(value)); });
  }
  for (std::size_t i = 0; i < group.tasks.size(); ++i) {
    const adjoint::WeightAdjoint& weight = group.graph.weights[i];
    LayerAdjoints& adjoints = group.adjoints[i];
    if (!weight.dense.empty()) {
      const auto row = place * static_cast<std::size_t>(adjoint_bytes(group.tasks[i])) / sizeof(float);
      ask(weight.dense,
          {adjoints.dense.as_mutable<float>().data() + row,
           adjoint::joined({probes}, group.facts.at(weight.weight).shape)},
          [](const Tensor&) {});
    }
    for (std::size_t part = 0; part < weight.gathered.size(); ++part) {
      const auto keep = [&adjoints, place](std::size_t slot) {
        return [&adjoints, place, slot](Tensor value) { adjoints.gathered[slot][place] = std::move(value); };
      };
      ask(weight.gathered[part].adjoint, {}, keep(2 * part));
      ask(weight.gathered[part].indices, {}, keep(2 * part + 1));
    }
  }
  std::vector<Tensor> values = group.session.run(feed_of(group, trial), names, places);
  for (std::size_t v = 0; v < values.size(); ++v) takers[v](std::move(values[v]));
  cost_.add(thread_seconds() - begin, 0, 1);
}

/// Every piece that reads a value has its share in the value's adjoint.
void PieceEngine::pass_on(const std::string& value, std::size_t trial, Tensor adjoint) {
  if (crossing_.has(trial, value)) {
    const Tensor before = crossing_.get(trial, value);
    const auto sum = adjoint.as_mutable<float>();
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += before.as<float>()[i];
    crossing_.drop(trial, value);
  }
  crossing_.put(trial, value, std::move(adjoint));
}

}  // namespace

std::vector<Unpriced> price_by_pieces(const Experiment& experiment, const Reference& reference,
                                      const PieceForward& forward, const graph::MemoryPlan& memory, Observer& observer,
                                      CostMeter& cost, std::vector<TaskOutcome>& outcomes) {
  return PieceEngine(experiment, reference, forward, memory, observer, cost, outcomes).run();
}

}  // namespace mpq::perturb
