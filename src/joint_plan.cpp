#include "joint_plan.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "support/text.h"

namespace mpq {

namespace {

struct Measured {
  Plan plan;
  double damage = 0;
};

/// What a plan must win by to take the place of another: samples are few, and the sums are not wrong as a rule.
constexpr double kMargin = 0.95;

void note(const Measured& measured, const std::string& what, Observer& observer) {
  observer.note(what + ": damage " + format_number(measured.damage) + " together, " +
                format_number(measured.plan.predicted_damage) + " summed");
}

Measured best_contender(const Sensitivity& scores, const Budget& budget, const AllocateOptions& options,
                        const PlanMeasure& measure, Observer& observer) {
  std::vector<Plan> plans = contending_plans(scores, budget, options);
  Measured best;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    observer.progress("compare plans", static_cast<double>(i), static_cast<double>(plans.size()), "");
    Measured next{std::move(plans[i]), 0};
    next.damage = measure(next.plan);
    note(next, "plan " + std::to_string(i + 1) + " of " + std::to_string(plans.size()), observer);
    if (i == 0 || next.damage < kMargin * best.damage) best = std::move(next);
  }
  return best;
}

std::size_t index_of(const LayerSensitivity& layer, const Candidate& candidate) {
  const auto found = std::find_if(layer.candidates.begin(), layer.candidates.end(),
                                  [&](const CandidateScore& score) { return score.candidate == candidate; });
  return static_cast<std::size_t>(found - layer.candidates.begin());
}

/// The candidates next to the chosen one along the layer's own frontier of bytes and damage, itself in the middle.
std::vector<std::size_t> neighbours(const LayerSensitivity& layer, std::size_t chosen, int min_bits) {
  const auto& all = layer.candidates;
  std::optional<std::size_t> smaller, larger;
  for (std::size_t c = 0; c < all.size(); ++c) {
    if (all[c].candidate.narrowest() < min_bits) continue;
    const bool saves = all[c].stored_bytes < all[chosen].stored_bytes && all[c].damage >= all[chosen].damage;
    const bool helps = all[c].stored_bytes > all[chosen].stored_bytes && all[c].damage < all[chosen].damage;
    if (saves && (!smaller || all[c].stored_bytes > all[*smaller].stored_bytes)) smaller = c;
    if (helps && (!larger || all[c].stored_bytes < all[*larger].stored_bytes)) larger = c;
  }
  std::vector<std::size_t> result;
  if (smaller) result.push_back(*smaller);
  result.push_back(chosen);
  if (larger) result.push_back(*larger);
  return result;
}

/// Scores that hold, for every layer, the chosen candidate and its two neighbours, with the damage of the whole network
/// when this layer alone takes that step, less the least of the three.
Sensitivity steps_from(const Measured& operating, const Sensitivity& scores, int min_bits, const PlanMeasure& measure,
                       Observer& observer) {
  Sensitivity result = scores;
  for (std::size_t i = 0; i < scores.layers.size(); ++i) {
    const PlanEntry& entry = operating.plan.entries[i];
    const LayerSensitivity& layer = scores.layers[i];
    observer.progress("price together", static_cast<double>(i), static_cast<double>(scores.layers.size()), entry.layer);
    const std::size_t chosen = index_of(layer, entry.candidate);
    const bool bound = entry.reason.starts_with("override") || entry.reason.starts_with("kept");
    std::vector<CandidateScore> steps;
    for (const std::size_t c : bound ? std::vector{chosen} : neighbours(layer, chosen, min_bits)) {
      CandidateScore& step = steps.emplace_back(layer.candidates[c]);
      Plan stepped = operating.plan;
      stepped.entries[i].candidate = step.candidate;
      step.damage = c == chosen ? operating.damage : measure(stepped);
    }
    const double least = std::min_element(steps.begin(), steps.end(), [](const auto& a, const auto& b) {
                           return a.damage < b.damage;
                         })->damage;
    for (CandidateScore& step : steps) step.damage -= least;
    result.layers[i].candidates = std::move(steps);
  }
  return result;
}

/// Puts the prices of the original scores back into a plan made from steps; `bound`: of the least sum any plan has.
void restore_prices(const Sensitivity& scores, double bound, Plan& plan) {
  double variance = 0;
  plan.predicted_damage = 0;
  for (std::size_t i = 0; i < plan.entries.size(); ++i) {
    PlanEntry& entry = plan.entries[i];
    const LayerSensitivity& layer = scores.layers[i];
    const CandidateScore& score = layer.candidates[index_of(layer, entry.candidate)];
    entry.damage = score.damage;
    entry.standard_error = score.standard_error;
    plan.predicted_damage += score.damage;
    variance += score.standard_error * score.standard_error;
  }
  plan.standard_error = std::sqrt(variance);
  plan.lower_bound = std::min(bound, plan.predicted_damage);
  plan.optimality_gap =
      plan.predicted_damage > 0 ? (plan.predicted_damage - plan.lower_bound) / plan.predicted_damage : 0;
}

}  // namespace

Plan best_plan_together(const Sensitivity& scores, const Budget& budget, const AllocateOptions& options,
                        const PlanMeasure& measure, Observer& observer) {
  constexpr double kFarFromSum = 3;
  constexpr std::size_t kMostMeasures = 128;
  if (options.uniform) return allocate(scores, budget, options);
  Measured best = best_contender(scores, budget, options, measure, observer);
  if (best.damage <= kFarFromSum * best.plan.predicted_damage) return best.plan;
  const std::size_t per_round = 2 * scores.layers.size() + 1, rounds = kMostMeasures / per_round;
  if (rounds > 0) {
    observer.note("together the layers cost " + format_number(best.damage / best.plan.predicted_damage) +
                  " times their sum: the plan is repaired by measuring at most " + std::to_string(rounds * per_round) +
                  " others");
  }
  const double bound_of_sums = best.plan.lower_bound;
  AllocateOptions bound = options;
  bound.overrides.clear();  // the steps of overridden layers hold their candidate alone
  for (std::size_t round = 0; round < rounds; ++round) {
    Measured next;
    next.plan = allocate(steps_from(best, scores, options.min_bits, measure, observer), budget, bound);
    next.damage = measure(next.plan);
    restore_prices(scores, bound_of_sums, next.plan);
    if (next.plan.time) next.plan.time->fastest_seconds = best.plan.time->fastest_seconds;  // not of the steps alone
    note(next, "repaired, round " + std::to_string(round + 1), observer);
    if (next.damage >= kMargin * best.damage) break;
    for (std::size_t i = 0; i < next.plan.entries.size(); ++i) {
      PlanEntry& entry = next.plan.entries[i];
      const PlanEntry& before = best.plan.entries[i];
      entry.reason = entry.candidate == before.candidate ? before.reason : "allocated, then repaired together";
    }
    best = std::move(next);
  }
  return best.plan;
}

}  // namespace mpq
