#include "mpq/allocate.h"
#include "mpq/error.h"

namespace mpq {

namespace {

std::vector<Candidate> chosen(const Plan& plan) {
  std::vector<Candidate> candidates;
  for (const PlanEntry& entry : plan.entries) candidates.push_back(entry.candidate);
  return candidates;
}

}  // namespace

std::vector<Plan> contending_plans(const Sensitivity& scores, const Budget& budget, const AllocateOptions& options) {
  constexpr int kWidestFloor = 8;
  std::vector<Plan> plans{allocate(scores, budget, options)};
  if (options.uniform) return plans;
  AllocateOptions floored = options;
  for (++floored.min_bits; floored.min_bits <= kWidestFloor; ++floored.min_bits) {
    try {
      Plan plan = allocate(scores, budget, floored);
      if (chosen(plan) != chosen(plans.back())) plans.push_back(std::move(plan));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kInfeasible) throw;
      break;  // a wider floor takes no fewer bytes
    }
  }
  return plans;
}

}  // namespace mpq
