#include <algorithm>
#include <iterator>

#include "mpq/allocate.h"
#include "mpq/error.h"

#include "support/text.h"

namespace mpq {

namespace {

std::vector<Candidate> chosen(const Plan& plan) {
  std::vector<Candidate> candidates;
  for (const PlanEntry& entry : plan.entries) candidates.push_back(entry.candidate);
  return candidates;
}

/// Candidates whose prices were not measured but worked out from a grid's.
bool is_derived(const Candidate& candidate) { return candidate.has_row_widths(); }

/// Where there are many derived prices, some look better than they are. Layers that an override speaks of keep theirs.
Sensitivity plain_grids(const Sensitivity& scores, const std::vector<Override>& overrides) {
  Sensitivity result = scores;
  for (LayerSensitivity& layer : result.layers) {
    const bool bound = std::any_of(overrides.begin(), overrides.end(),
                                   [&](const Override& wish) { return glob_match(wish.glob, layer.layer.name); });
    if (bound) continue;
    std::erase_if(layer.candidates, [](const CandidateScore& score) { return is_derived(score.candidate); });
  }
  return result;
}

/// The optimum of the summed damages and those with rising floors, without repeating a plan.
void add_plans(const Sensitivity& scores, const Budget& budget, const AllocateOptions& options,
               std::vector<Plan>& plans) {
  constexpr int kWidestFloor = 8;
  AllocateOptions floored = options;
  for (; floored.min_bits <= kWidestFloor; ++floored.min_bits) {
    try {
      Plan plan = allocate(scores, budget, floored);
      if (plans.empty() || chosen(plan) != chosen(plans.back())) plans.push_back(std::move(plan));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kInfeasible || plans.empty()) throw;
      break;  // a wider floor takes no fewer bytes
    }
    if (options.uniform) break;
  }
}

}  // namespace

std::vector<Plan> contending_plans(const Sensitivity& scores, const Budget& budget, const AllocateOptions& options) {
  std::vector<Plan> all, plans;
  add_plans(scores, budget, options, all);
  if (options.uniform) return all;
  const Plan& best = all.front();
  const bool plain = std::none_of(best.entries.begin(), best.entries.end(),
                                  [](const PlanEntry& entry) { return is_derived(entry.candidate); });
  if (!plain) {
    add_plans(plain_grids(scores, options.overrides), budget, options, plans);
    for (Plan& plan : plans) {  // the bound is that of every form
      plan.lower_bound = std::min(best.lower_bound, plan.predicted_damage);
      plan.optimality_gap =
          plan.predicted_damage > 0 ? (plan.predicted_damage - plan.lower_bound) / plan.predicted_damage : 0;
    }
  }
  plans.insert(plans.end(), std::make_move_iterator(all.begin()), std::make_move_iterator(all.end()));
  return plans;
}

}  // namespace mpq
