#include <algorithm>

#include "mpq/allocate.h"
#include "mpq/error.h"

#include "allocate/budget_limit.h"

namespace mpq {

TradeOffs trade_offs(const Sensitivity& scores, std::size_t sizes, std::size_t times, const AllocateOptions& options) {
  if (!scores.time.known()) {
    throw Error(ErrorCode::kInvalidInput, "The scores hold no times.", scores.model.path,
                "Give a profile of the model.");
  }
  TradeOffs result;
  result.processor = scores.time.processor;
  AllocateOptions limited = options.without_time_budget();
  double fastest = 0, slowest = 0;
  for (const Plan& plan : frontier_plans(scores, sizes, limited)) {
    result.sizes.push_back(Budget::parse(plan.budget));
    fastest = result.sizes.size() == 1 ? plan.time->fastest_seconds : std::min(fastest, plan.time->fastest_seconds);
    slowest = std::max({slowest, plan.time->fastest_seconds, plan.time->float_seconds});
  }
  const auto steps = static_cast<double>(std::max<std::size_t>(times, 2) - 1);
  for (double step = 0; step <= steps; ++step) {
    const Budget limit = Budget::parse(knapsack::time_budget_text(fastest + (slowest - fastest) * step / steps));
    if (result.seconds.empty() || limit.value > result.seconds.back()) result.seconds.push_back(limit.value);
  }
  for (const Budget& size : result.sizes) {
    std::vector<std::optional<double>>& row = result.damage.emplace_back();
    for (const double seconds : result.seconds) {
      limited.time_budget = Budget{Budget::Unit::kSeconds, seconds, knapsack::time_budget_text(seconds)};
      try {
        row.emplace_back(allocate(scores, size, limited).predicted_damage);
      } catch (const Error& error) {
        if (error.code() != ErrorCode::kInfeasible) throw;
        row.emplace_back();
      }
    }
  }
  return result;
}

}  // namespace mpq
