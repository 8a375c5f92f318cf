#include "analyze/reference.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "mpq/error.h"

#include "runtime/session.h"
#include "support/parallel.h"
#include "support/statistics.h"
#include "support/text.h"

namespace mpq::perturb {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Median of a few single-threaded passes, with nothing else of ours running.
double forward_seconds(const runtime::Session& session, const Feed& feed) {
  constexpr int kRuns = 5;
  constexpr double kEnoughSeconds = 2;
  session.run(feed);  // allocates
  std::vector<double> times;
  double total = 0;
  for (int run = 0; run < kRuns && total < kEnoughSeconds; ++run) {
    const auto begin = Clock::now();
    session.run(feed);
    times.push_back(seconds_since(begin));
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

/// Kind and summed energy of each target, folded in the order of the trials' samples.
struct Fold {
  std::vector<Target> targets;
  std::size_t samples = 0;

  void add(const std::vector<Tensor>& values, bool classify) {
    targets.resize(values.size(), Target{OutputKind::kTensor, 0});
    for (std::size_t t = 0; t < values.size(); ++t) {
      Target& target = targets[t];
      if (classify && values[t].size() > 0) {
        target.kind = samples == 0 ? classify_output(values[t]) : refine(target.kind, values[t]);
      }
      target.energy += energy(values[t]);
    }
    ++samples;
  }
};

Fold fold_samples(const Experiment& experiment, const runtime::Session& session,
                  const std::vector<std::string>& names) {
  constexpr std::size_t kAtOnce = 8;  // outputs of so many samples are held at a time
  const bool local = experiment.options.place == "local";
  const std::size_t used = std::min(experiment.samples.size(), experiment.trial_cap);
  Fold fold;
  for (std::size_t begin = 0; begin < used; begin += kAtOnce) {
    std::vector<std::vector<Tensor>> values(std::min(kAtOnce, used - begin));
    parallel_for(values.size(), resolve_threads(experiment.options.threads), [&](std::size_t i, int) {
      values[i] = session.run(experiment.samples[experiment.order[begin + i]], names);
    });
    for (const auto& sample : values) fold.add(sample, !local);
  }
  return fold;
}

void drop_target(Experiment& experiment, const std::string& name) {
  std::erase(experiment.outputs, name);
  for (Task& task : experiment.tasks) {
    std::erase(task.targets, name);
    if (task.targets.empty() && task.failure.empty()) {
      task.failure = "The network computes no finite numbers with this weight.";
    }
  }
}

std::string resolve(const Experiment& experiment, const Reference& reference) {
  std::vector<OutputKind> kinds;
  if (experiment.options.place == "network") {
    for (const std::string& output : experiment.outputs) kinds.push_back(reference.targets.at(output).kind);
  }
  return resolve_metric(experiment.options.metric, kinds);
}

}  // namespace

Reference measure_reference(Experiment& experiment, Observer& observer) {
  const std::vector<std::string> names = all_targets(experiment);
  const runtime::Session session(graph::with_outputs(experiment.form, names), *experiment.form.store);
  Reference reference;
  const Fold fold = fold_samples(experiment, session, names);
  for (std::size_t t = 0; t < names.size(); ++t) {
    Target target = fold.targets[t];
    if (!std::isfinite(target.energy)) {
      observer.warn("The output \"" + names[t] +
                        "\" of the unchanged model holds numbers that are not finite; it is not measured.",
                    "Check the samples, or choose outputs.");
      drop_target(experiment, names[t]);
      continue;
    }
    target.energy = target.energy > 0 ? target.energy / static_cast<double>(fold.samples) : 1.0;
    reference.targets.emplace(names[t], target);
  }
  if (experiment.outputs.empty()) {
    throw Error(ErrorCode::kInvalidInput, "No output of the unchanged model holds finite numbers on these samples.",
                experiment.samples.facts().source, "Check that the samples are what the model expects.");
  }
  reference.metric = resolve(experiment, reference);
  const runtime::Session plain(experiment.form.model, *experiment.form.store);
  reference.forward_seconds = forward_seconds(plain, experiment.samples[experiment.order.front()]);
  return reference;
}

double trial_damage(const Reference& reference, const std::vector<std::string>& targets, const Feed& original,
                    const Feed& changed) {
  double sum = 0;
  for (const std::string& name : targets) {
    const auto found = changed.find(name);
    if (found == changed.end()) continue;
    const Tensor& before = original.at(name);
    if (before.shape() != found->second.shape()) {
      sum += 1;
    } else if (before.size() > 0) {
      const Target& target = reference.targets.at(name);
      sum += sample_damage(reference.metric, target.kind, before, found->second, target.energy);
    }
  }
  return sum / static_cast<double>(targets.size());
}

}  // namespace mpq::perturb
