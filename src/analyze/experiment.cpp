#include "analyze/experiment.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <numeric>
#include <tuple>

#include "mpq/error.h"

#include "quantize/grid.h"
#include "support/random.h"

namespace mpq::perturb {

namespace {

constexpr int kReferenceBits = 4;
constexpr std::size_t kFirstRound = 4;

/// Fisher-Yates, so that the first trials are a fair draw from sorted data too.
std::vector<std::size_t> permutation(std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  const Philox stream(mix_key(seed, "sample order"));
  for (std::size_t i = count; i-- > 1;) {
    const std::uint64_t word = stream.block(i)[0];
    std::swap(order[i], order[static_cast<std::size_t>((word * (i + 1)) >> 32)]);
  }
  return order;
}

Task make_task(const Experiment& experiment, std::size_t layer, const std::vector<Candidate>& candidates) {
  Task task;
  task.layer = layer;
  std::copy_if(candidates.begin(), candidates.end(), std::back_inserter(task.candidates),
               [](const Candidate& candidate) { return candidate.form != "float"; });
  task.reference_candidate = reference_candidate(task.candidates);
  try {
    const bool local = experiment.options.place == "local";
    task.targets = local ? graph::layer_outputs(experiment.form, layer) : experiment.outputs;
    if (!experiment.options.full_reruns) task.boundary = graph::boundary_of(experiment.form, layer, task.targets);
    if (task.targets.empty()) task.failure = "No node computes with this weight.";
    if (task.candidates.empty()) return task;
    const Layer& described = experiment.model.layers()[layer];
    quant::check_weight(experiment.model.weight(layer), described,
                        quant::scale_layout(described, task.candidates.front()));
  } catch (const Error& error) {
    task.failure = error.what();
  }
  return task;
}

/// Without randomness a repeated sample repeats its damage and would feign certainty.
std::size_t cap_of(const Experiment& experiment, Observer& observer) {
  const AnalyzeOptions& options = experiment.options;
  const auto asked = static_cast<std::size_t>(options.trials > 0 ? options.trials : options.max_trials);
  if (experiment.law != Law::kQuantization || asked <= experiment.samples.size()) return asked;
  observer.note(std::to_string(experiment.samples.size()) + " samples allow as many trials of the quantization law; " +
                std::to_string(asked) + " were asked for.");
  return experiment.samples.size();
}

/// Of every `parts`-th trial, from the `part`-th on.
std::size_t trials_of_part(std::size_t all, Shard shard) {
  const auto part = static_cast<std::size_t>(shard.part), parts = static_cast<std::size_t>(shard.parts);
  if (part > all) {
    throw Error(ErrorCode::kUsage,
                "There are " + std::to_string(all) + " trials, so part " + to_string(shard) + " is empty.", "--shard",
                "Divide the analysis into fewer parts, or give more samples and a larger --max-trials.");
  }
  return (all - part) / parts + 1;
}

}  // namespace

std::vector<TrialRange> Experiment::rounds() const {
  if (!adaptive()) return {{0, trial_cap}};
  std::vector<TrialRange> result;
  std::size_t next = kFirstRound;
  for (std::size_t done = 0; done < trial_cap; next *= 2) {
    const std::size_t end = std::min(next, trial_cap);
    result.push_back({done, end - done});
    done = end;
  }
  return result;
}

std::size_t reference_candidate(const std::vector<Candidate>& candidates) {
  const auto rank = [](const Candidate& c) {
    return std::tuple(std::abs(c.bits - kReferenceBits), c.block != 0 || c.is_trellis(), c.bits);
  };
  const auto best = std::min_element(candidates.begin(), candidates.end(),
                                     [&](const Candidate& a, const Candidate& b) { return rank(a) < rank(b); });
  return static_cast<std::size_t>(best - candidates.begin());
}

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

Experiment make_experiment(const Model& model, const Samples& samples,
                           const std::vector<std::vector<Candidate>>& candidates, const AnalyzeOptions& options,
                           Observer& observer) {
  if (samples.size() == 0) {
    throw Error(ErrorCode::kInvalidInput, "There is no sample to run the model on.", samples.facts().source);
  }
  Experiment experiment{.model = model, .samples = samples, .options = options};
  experiment.law = parse_law(options.noise);
  experiment.fit = options.scale_fit == "minmax" ? quant::ScaleFit::kMinMax : quant::ScaleFit::kMse;
  experiment.form = graph::run_form(model);
  if (options.place == "network") {
    experiment.measured = runtime::measured_values(model, options.outputs_glob, options.output_roles);
  }
  for (const runtime::MeasuredOutput& output : experiment.measured) experiment.outputs.push_back(output.name);
  experiment.order = permutation(samples.size(), options.seed);
  experiment.trials_of_all = cap_of(experiment, observer);
  experiment.trial_cap = trials_of_part(experiment.trials_of_all, experiment.shard());
  for (std::size_t layer = 0; layer < model.layers().size(); ++layer) {
    if (!model.layers()[layer].quantizable()) continue;
    if (experiment.tasks.size() == candidates.size()) break;
    experiment.tasks.push_back(make_task(experiment, layer, candidates[experiment.tasks.size()]));
  }
  if (experiment.tasks.size() != candidates.size()) {
    throw Error(ErrorCode::kInternal, "Candidates were given for " + std::to_string(candidates.size()) +
                                          " layers, but the model has " + std::to_string(experiment.tasks.size()) +
                                          " quantizable ones.");
  }
  return experiment;
}

}  // namespace mpq::perturb
