#include "analyze/scores.h"

#include <algorithm>
#include <cmath>

#include "support/random.h"

namespace mpq::perturb {

namespace {

double point(std::vector<double> values, const AnalyzeOptions& options) {
  if (options.aggregation == "max") return *std::max_element(values.begin(), values.end());
  if (options.aggregation == "quantile") return quantile(std::move(values), options.quantile);
  return mean_and_error(values).mean;
}

double bootstrap_error(std::span<const double> values, const AnalyzeOptions& options) {
  constexpr std::uint64_t kResamples = 200;
  const Philox stream(mix_key(options.seed, "bootstrap"));
  std::vector<double> points;
  std::vector<double> resample(values.size());
  for (std::uint64_t r = 0; r < kResamples; ++r) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint64_t word = stream.block(r * values.size() + i)[0];
      resample[i] = values[static_cast<std::size_t>((word * values.size()) >> 32)];
    }
    points.push_back(point(resample, options));
  }
  // The spread of the points themselves, not of their mean.
  return mean_and_error(points).standard_error * std::sqrt(static_cast<double>(kResamples));
}

LayerSensitivity score_layer(const Experiment& experiment, const Task& task, const TaskOutcome& outcome) {
  LayerSensitivity result;
  result.layer = experiment.layer_of(task);
  result.row_energies = outcome.row_energies;
  for (const Candidate& candidate : task.candidates) {
    CandidateScore& entry = result.candidates.emplace_back();
    entry.candidate = candidate;
    entry.stored_bytes = stored_bytes(result.layer, candidate);
  }
  fill_scores(outcome.damages, experiment.options, result);
  for (std::size_t c = 0; c < task.candidates.size() && experiment.options.shard; ++c)
    result.candidates[c].trial_damages = outcome.damages[c];
  CandidateScore& unchanged = result.candidates.emplace_back();
  unchanged.stored_bytes = stored_bytes(result.layer, unchanged.candidate);
  return result;
}

AnalyzeSettings settings_of(const AnalyzeOptions& options, const Reference& reference) {
  AnalyzeSettings settings;
  settings.engine = reference.engine;
  settings.probes = settings.engine == "adjoint" ? options.probes : 0;
  settings.noise = options.noise;
  settings.place = options.place;
  settings.metric = reference.metric;
  settings.aggregation = options.aggregation;
  settings.quantile = options.quantile;
  settings.trials = options.trials;
  settings.max_trials = options.max_trials;
  settings.seed = options.seed;
  settings.bits = options.bits;
  settings.antithetic = options.antithetic;
  settings.scale_fit = options.scale_fit;
  settings.portable = options.portable;
  return settings;
}

}  // namespace

MeanError aggregate(std::span<const double> damages, const AnalyzeOptions& options) {
  if (damages.empty()) return {};
  MeanError result = mean_and_error(damages);
  if (damages.size() == 1) return {result.mean, result.mean};
  if (options.aggregation == "mean") return result;
  return {point({damages.begin(), damages.end()}, options), bootstrap_error(damages, options)};
}

std::size_t reference_candidate(const LayerSensitivity& layer) {
  std::vector<Candidate> candidates;
  for (const CandidateScore& score : layer.candidates) {
    if (score.candidate.form != "float") candidates.push_back(score.candidate);
  }
  return reference_candidate(candidates);
}

void fill_scores(const DamageTable& damages, const AnalyzeOptions& options, LayerSensitivity& layer) {
  for (std::size_t c = 0; c < damages.size(); ++c) {
    const MeanError score = aggregate(damages[c], options);
    layer.candidates[c].damage = score.mean;
    layer.candidates[c].standard_error = score.standard_error;
    layer.candidates[c].trials = static_cast<int>(damages[c].size());
  }
  if (damages.empty()) return;
  const CandidateScore& ranked_by = layer.candidates[reference_candidate(layer)];
  layer.score = ranked_by.damage;
  layer.standard_error = ranked_by.standard_error;
}

std::vector<std::span<const double>> reference_rows(const Experiment& experiment,
                                                    const std::vector<TaskOutcome>& outcomes) {
  std::vector<std::span<const double>> rows;
  for (std::size_t t = 0; t < outcomes.size(); ++t) {
    const Task& task = experiment.tasks[t];
    if (outcomes[t].failure.empty() && !task.candidates.empty())
      rows.emplace_back(outcomes[t].damages[task.reference_candidate]);
  }
  return rows;
}

Sensitivity make_sensitivity(const Experiment& experiment, const Reference& reference,
                             const std::vector<TaskOutcome>& outcomes) {
  Sensitivity result;
  result.model = experiment.model.facts();
  result.data = experiment.samples.facts();
  result.settings = settings_of(experiment.options, reference);
  result.shard = experiment.options.shard;
  result.outputs = experiment.outputs;
  for (const std::string& output : experiment.outputs) {
    const Target& target = reference.targets.at(output);
    result.measured_as.push_back({to_string(target.kind), target.weight});
  }
  std::vector<std::string> failures(experiment.model.layers().size());
  for (std::size_t t = 0; t < outcomes.size(); ++t) {
    const Task& task = experiment.tasks[t];
    failures[task.layer] = outcomes[t].failure;
    if (!outcomes[t].failure.empty()) continue;
    result.layers.push_back(score_layer(experiment, task, outcomes[t]));
    result.trial_runs += outcomes[t].runs;
  }
  for (std::size_t i = 0; i < failures.size(); ++i) {
    Layer layer = experiment.model.layers()[i];
    if (layer.quantizable() && failures[i].empty()) continue;
    if (layer.quantizable()) layer.skip_reason = failures[i];
    result.skipped.push_back(std::move(layer));
  }
  const auto rows = reference_rows(experiment, outcomes);
  result.rank_stability = rank_stability(rows);
  result.settled = experiment.adaptive() && ranking_settled(rows);
  return result;
}

}  // namespace mpq::perturb
