#include "analyze/unexercised.h"

#include <algorithm>

#include "support/text.h"

namespace mpq::perturb {

namespace {

/// Run, but never with an effect. A layer out of the outputs' reach was not run at all: its damage really is zero.
bool is_unexercised(const TaskOutcome& outcome) {
  if (!outcome.failure.empty() || outcome.runs == 0) return false;
  return std::all_of(outcome.damages.begin(), outcome.damages.end(), [](const std::vector<double>& row) {
    return std::all_of(row.begin(), row.end(), [](double damage) { return damage == 0; });
  });
}

double relative_error(const Experiment& experiment, const Task& task, const std::vector<float>& weight,
                      const Candidate& candidate) {
  const auto stored = quant::stored_values(weight, experiment.layer_of(task), candidate, experiment.fit);
  double error = 0, energy = 0;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    const double w = weight[i], difference = w - static_cast<double>(stored[i]);
    error += difference * difference;
    energy += w * w;
  }
  return energy > 0 ? error / energy : 0;
}

/// Median damage per relative squared error of the layers that were exercised; 1 where there is none.
double median_response(const Experiment& experiment, const std::vector<TaskOutcome>& outcomes,
                       const Sensitivity& scores) {
  std::vector<double> responses;
  std::size_t entry = 0;
  for (std::size_t t = 0; t < outcomes.size(); ++t) {
    if (!outcomes[t].failure.empty()) continue;
    const double score = scores.layers[entry++].score;
    const Task& task = experiment.tasks[t];
    if (task.candidates.empty() || outcomes[t].runs == 0 || is_unexercised(outcomes[t])) continue;
    const double error = relative_error(experiment, task, experiment.model.weight(task.layer),
                                        task.candidates[task.reference_candidate]);
    if (error > 0) responses.push_back(score / error);
  }
  return responses.empty() ? 1 : quantile(responses, 0.5);
}

void price(const Experiment& experiment, const Task& task, double response, LayerSensitivity& entry) {
  const std::vector<float> weight = experiment.model.weight(task.layer);
  for (std::size_t c = 0; c < task.candidates.size(); ++c) {
    CandidateScore& score = entry.candidates[c];
    score.damage = score.standard_error = response * relative_error(experiment, task, weight, score.candidate);
    if (c == task.reference_candidate) entry.score = entry.standard_error = score.damage;
  }
}

std::string some_of(std::vector<std::string> names) {
  constexpr std::size_t kShown = 4;
  if (names.size() <= kShown) return join(names, ", ");
  const std::string more = " and " + std::to_string(names.size() - kShown) + " more";
  names.resize(kShown);
  return join(names, ", ") + more;
}

}  // namespace

void price_unexercised(const Experiment& experiment, const std::vector<TaskOutcome>& outcomes, Sensitivity& scores,
                       Observer& observer) {
  std::vector<std::string> names;
  double response = 0;
  std::size_t entry = 0;
  for (std::size_t t = 0; t < outcomes.size(); ++t) {
    if (!outcomes[t].failure.empty()) continue;
    LayerSensitivity& layer = scores.layers[entry++];
    if (!is_unexercised(outcomes[t])) continue;
    if (names.empty()) response = median_response(experiment, outcomes, scores);
    price(experiment, experiment.tasks[t], response, layer);
    names.push_back(layer.layer.name);
  }
  if (names.empty()) return;
  observer.warn(
      "The samples never exercise " + std::to_string(names.size()) + " of " + std::to_string(scores.layers.size()) +
          " layers; these are priced like a layer of median sensitivity, not measured: " + some_of(names) + ".",
      "Add samples that use them, or keep them with --keep.");
}

}  // namespace mpq::perturb
