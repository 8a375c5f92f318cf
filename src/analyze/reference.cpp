#include "analyze/reference.h"

#include <algorithm>
#include <optional>
#include <set>

#include "analyze/cost.h"
#include "runtime/outputs.h"
#include "runtime/session.h"
#include "support/parallel.h"
#include "support/statistics.h"

namespace mpq::perturb {

namespace {

/// Median processor time of one pass: the unit the cost is stated in, measured as the cost is.
double forward_seconds(const runtime::Session& session, const Feed& feed) {
  constexpr int kRuns = 7;
  constexpr double kEnoughSeconds = 2;
  session.run(feed);  // allocates
  std::vector<double> times;
  double total = 0;
  while (times.size() < kRuns && total < kEnoughSeconds) {
    const double begin = thread_seconds();
    session.run(feed);
    times.push_back(thread_seconds() - begin);
    total += times.back();
  }
  return quantile(times, 0.5);
}

std::vector<std::string> all_targets(const Experiment& experiment) {
  std::vector<std::string> names = experiment.outputs;
  std::set<std::string> seen(names.begin(), names.end());
  for (const Task& task : experiment.tasks) {
    for (const std::string& target : task.targets) {
      if (seen.insert(target).second) names.push_back(target);
    }
  }
  return names;
}

/// One sample's targets. The values themselves are kept only where kinds matter: layer outputs are many and large.
struct Look {
  std::vector<double> energies;
  std::vector<Tensor> values;
};

Look look_at(std::vector<Tensor> values, bool keep_values) {
  Look look;
  for (const Tensor& value : values) look.energies.push_back(energy(value));
  if (keep_values) look.values = std::move(values);
  return look;
}

/// `kinds`: as the user said.
void fold_in(const Look& look, bool first, const std::vector<std::optional<OutputKind>>& kinds,
             std::vector<Target>& targets) {
  for (std::size_t t = 0; t < targets.size(); ++t) {
    targets[t].energy += look.energies[t];
    if (look.values.empty() || look.values[t].size() == 0) continue;
    targets[t].kind = first ? classify_output(look.values[t]) : refine(targets[t].kind, look.values[t]);
    targets[t].spread += row_spread(kinds[t].value_or(targets[t].kind), look.values[t], 1);
    targets[t].soft_spread += row_spread(kinds[t].value_or(targets[t].kind), look.values[t], kSoftTemperature);
  }
}

void divide_sums(std::vector<Target>& targets, std::size_t samples) {
  for (Target& target : targets) {
    for (double* sum : {&target.energy, &target.spread, &target.soft_spread}) *sum /= static_cast<double>(samples);
  }
}

std::vector<std::optional<OutputKind>> kinds_given(const Experiment& experiment,
                                                   const std::vector<std::string>& names) {
  std::vector<std::optional<OutputKind>> kinds(names.size());
  for (const runtime::MeasuredOutput& output : experiment.measured) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == output.name) kinds[i] = output.kind;
    }
  }
  return kinds;
}

/// Kind, mean energy and spread of each target, folded in the order of the trials' samples.
std::vector<Target> fold_samples(const Experiment& experiment, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  constexpr std::size_t kAtOnce = 8;  // outputs of so many samples are held at a time
  const runtime::Session session(graph::with_outputs(experiment.form, names), *experiment.form.store);
  const bool network = experiment.options.place == "network";
  // Of all parts, so that every part speaks of the same scale.
  const std::size_t used = std::min(experiment.samples.size(), experiment.trials_of_all);
  std::vector<Target> targets(names.size(), Target{OutputKind::kTensor, 0});
  const std::vector<std::optional<OutputKind>> kinds = kinds_given(experiment, names);
  for (std::size_t begin = 0; begin < used; begin += kAtOnce) {
    std::vector<Look> looks(std::min(kAtOnce, used - begin));
    parallel_for(looks.size(), resolve_threads(experiment.options.threads), [&](std::size_t i, int) {
      looks[i] = look_at(session.run(experiment.samples[experiment.order[begin + i]], names), network);
    });
    for (std::size_t i = 0; i < looks.size(); ++i) fold_in(looks[i], begin + i == 0, kinds, targets);
  }
  divide_sums(targets, used);
  return targets;
}

/// The adjoint prices what is a square of the outputs' change, in the mean over the trials.
std::string resolve_engine(const AnalyzeOptions& options, const std::string& metric) {
  if (options.engine != "auto") return options.engine;
  if (options.noise != "quantization") return "noise";
  const bool applies = (metric == "kl" || metric == "mse") && options.place == "network" &&
                       options.aggregation == "mean" && !options.full_reruns;
  return applies ? "adjoint" : "rounding";
}

std::string resolve(const Experiment& experiment, const Reference& reference) {
  std::vector<OutputKind> kinds;
  if (experiment.options.place == "network") {
    for (const std::string& output : experiment.outputs) kinds.push_back(reference.targets.at(output).kind);
  }
  return resolve_metric(experiment.options.metric, kinds);
}

/// What was seen of the targets, and what the user and the options say of them.
Reference resolved(const Experiment& experiment, const std::vector<std::string>& names,
                   const std::vector<Target>& targets, Observer& observer) {
  Reference reference;
  for (std::size_t t = 0; t < names.size(); ++t) {
    Target target = targets[t];
    if (target.energy == 0) {
      observer.warn(
          "The unchanged model's \"" + names[t] + "\" is zero or no number on every sample; it tells no damage.",
          "Check that the samples are what the model expects.");
      target.energy = 1;
    }
    reference.targets.emplace(names[t], target);
  }
  for (const runtime::MeasuredOutput& output : experiment.measured) {
    Target& target = reference.targets.at(output.name);
    target.weight = output.weight;
    target.kind = output.kind.value_or(target.kind);
  }
  reference.metric = resolve(experiment, reference);
  reference.engine = resolve_engine(experiment.options, reference.metric);
  return reference;
}

}  // namespace

Reference reference_of(const Experiment& experiment,
                       const std::function<std::vector<Tensor>(std::size_t trial)>& outputs, Observer& observer) {
  std::vector<Target> targets(experiment.outputs.size(), Target{OutputKind::kTensor, 0});
  const std::vector<std::optional<OutputKind>> kinds = kinds_given(experiment, experiment.outputs);
  for (std::size_t k = 0; k < experiment.trial_cap; ++k) fold_in(look_at(outputs(k), true), k == 0, kinds, targets);
  divide_sums(targets, experiment.trial_cap);
  return resolved(experiment, experiment.outputs, targets, observer);
}

Reference measure_reference(const Experiment& experiment, Observer& observer) {
  const std::vector<std::string> names = all_targets(experiment);
  Reference reference = resolved(experiment, names, fold_samples(experiment, names), observer);
  const double begin = thread_seconds();
  const runtime::Session plain(experiment.form.model, *experiment.form.store);
  reference.load_seconds = thread_seconds() - begin;
  const Feed& feed = experiment.samples[experiment.order.front()];
  reference.forward_seconds = forward_seconds(plain, feed);
  return reference;
}

double trial_damage(const Reference& reference, const std::vector<std::string>& targets, const Feed& original,
                    const Feed& changed) {
  double sum = 0, weights = 0;
  for (const std::string& name : targets) {
    const Target& target = reference.targets.at(name);
    weights += target.weight;
    const auto found = changed.find(name);
    if (found == changed.end()) continue;
    sum += target.weight *
           runtime::output_damage(reference.metric, target.kind, original.at(name), found->second, target.energy);
  }
  return sum / weights;
}

}  // namespace mpq::perturb
