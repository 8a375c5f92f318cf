#include "analyze/capture.h"

#include <algorithm>
#include <set>

#include "runtime/session.h"
#include "support/parallel.h"

namespace mpq::perturb {

namespace {

std::set<std::string> needs_of(const Task& task) {
  std::set<std::string> needs(task.boundary.begin(), task.boundary.end());
  needs.insert(task.targets.begin(), task.targets.end());
  return needs;
}

/// Values the network computes, in a fixed order; its inputs come from the samples.
std::vector<std::string> computed(const Experiment& experiment, std::set<std::string> names) {
  for (const ValueInfo& input : experiment.model.inputs()) names.erase(input.name);
  return {names.begin(), names.end()};
}

std::set<std::string> needs_of_all(const Experiment& experiment, const std::vector<std::size_t>& tasks) {
  std::set<std::string> needs;
  for (const std::size_t task : tasks) needs.merge(needs_of(experiment.tasks[task]));
  return needs;
}

}  // namespace

std::map<std::string, std::int64_t> value_bytes(const Experiment& experiment) {
  constexpr std::size_t kAtOnce = 32;
  std::vector<std::size_t> all;
  for (std::size_t task = 0; task < experiment.tasks.size(); ++task) all.push_back(task);
  const std::vector<std::string> names = computed(experiment, needs_of_all(experiment, all));
  std::map<std::string, std::int64_t> bytes;
  if (names.empty()) return bytes;
  const runtime::Session session(graph::with_outputs(experiment.form, names), *experiment.form.store);
  const Feed& feed = experiment.samples[experiment.order.front()];
  for (std::size_t begin = 0; begin < names.size(); begin += kAtOnce) {
    const auto from = names.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto to = names.begin() + static_cast<std::ptrdiff_t>(std::min(begin + kAtOnce, names.size()));
    const std::vector<std::string> part(from, to);
    const std::vector<Tensor> values = session.run(feed, part);
    for (std::size_t i = 0; i < part.size(); ++i) bytes[part[i]] = static_cast<std::int64_t>(values[i].size_bytes());
  }
  return bytes;
}

std::vector<CaptureGroup> plan_capture(const Experiment& experiment, const std::map<std::string, std::int64_t>& bytes,
                                       const std::vector<std::size_t>& tasks, std::size_t trials) {
  const std::int64_t per_trial = experiment.options.activation_memory_bytes / static_cast<std::int64_t>(trials);
  std::vector<CaptureGroup> groups;
  std::set<std::string> held;
  std::int64_t held_bytes = 0;
  for (const std::size_t task : tasks) {
    const std::set<std::string> needs = needs_of(experiment.tasks[task]);
    const auto size_of = [&](const std::string& name) {
      const auto found = bytes.find(name);
      return found == bytes.end() ? std::int64_t{0} : found->second;
    };
    std::int64_t added = 0, alone = 0;
    for (const std::string& name : needs) {
      alone += size_of(name);
      added += held.count(name) != 0 ? 0 : size_of(name);
    }
    if (groups.empty() || held_bytes + added > per_trial) {
      groups.emplace_back();
      held.clear();
      held_bytes = 0;
      added = alone;
    }
    groups.back().tasks.push_back(task);
    held.insert(needs.begin(), needs.end());
    held_bytes += added;
    const std::int64_t fitting = experiment.options.activation_memory_bytes / std::max<std::int64_t>(held_bytes, 1);
    groups.back().trials_per_pass = std::clamp<std::size_t>(static_cast<std::size_t>(fitting), 1, trials);
  }
  return groups;
}

Captured capture(const Experiment& experiment, const CaptureGroup& group, TrialRange trials, CostMeter& cost) {
  Captured captured;
  for (std::size_t k = 0; k < trials.count; ++k) captured.try_emplace(experiment.sample_of(trials.first + k));
  const std::set<std::string> needs = needs_of_all(experiment, group.tasks);
  const std::vector<std::string> names = computed(experiment, needs);
  std::vector<std::pair<std::size_t, Feed*>> slots;
  for (auto& [sample, feed] : captured) slots.emplace_back(sample, &feed);
  const double begin = thread_seconds();
  const runtime::Session session(graph::with_outputs(experiment.form, names), *experiment.form.store);
  cost.add(thread_seconds() - begin, 0, 0);
  parallel_for(slots.size(), resolve_threads(experiment.options.threads), [&](std::size_t i, int) {
    const Feed& inputs = experiment.samples[slots[i].first];
    Feed& feed = *slots[i].second;
    const double start = thread_seconds();
    const std::vector<Tensor> values = session.run(inputs, names);
    cost.add(thread_seconds() - start, 0, 0);
    for (std::size_t v = 0; v < names.size(); ++v) feed.emplace(names[v], values[v]);
    for (const auto& [name, tensor] : inputs) {
      if (needs.count(name) != 0) feed.emplace(name, tensor);
    }
  });
  return captured;
}

}  // namespace mpq::perturb
