#include "latency/latency_budget.h"

#include <algorithm>
#include <utility>

#include "mpq/error.h"

#include "allocate/budget_limit.h"

namespace mpq {
namespace {

[[noreturn]] void refuse(const Budget& budget, const LatencyCheck& fastest) {
  const double most = std::max(fastest.seconds(), fastest.profiled_seconds);
  throw Error(ErrorCode::kInfeasible,
              "No model meets " + budget.text + " on " + fastest.processor + ": the fastest that was written takes " +
                  knapsack::time_budget_text(fastest.seconds()) + ", measured, where the profile predicts " +
                  knapsack::time_budget_text(fastest.predicted_seconds) + "; feasible: " +
                  knapsack::time_budget_text(fastest.seconds()) + " to " + knapsack::time_budget_text(most) + ".",
              budget.text, "Raise the latency budget, allow a larger model, or profile a faster processor.");
}

}  // namespace

WithinLatency write_within_latency(const Budget& budget, double fastest_seconds, const std::string& compute,
                                   const WriteWithin& write,
                                   const std::function<LatencyCheck(const QuantizedModel&)>& measure,
                                   Observer& observer) {
  constexpr int kRounds = 4;
  double planned = std::max(budget.value, fastest_seconds);
  std::optional<LatencyCheck> fastest;
  int tried = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::optional<LatencyCheck> last;
    // What the damage allows, then, where that is too slow, integer kernels wherever they exist.
    for (const std::string& way : compute == "auto" ? std::vector<std::string>{"auto", "int8"} : std::vector{compute}) {
      QuantizedModel written = write(planned, way);
      last = measure(written);
      last->budget = budget.text;
      last->limit_seconds = budget.value;
      last->repairs = tried++;
      observer.note("latency: " + knapsack::time_budget_text(last->seconds()) + " measured on " + last->processor +
                    ", " + knapsack::time_budget_text(last->predicted_seconds) + " predicted, budget " + budget.text +
                    (last->is_met() ? "" : "; too slow"));
      if (last->is_met()) return {std::move(written), *last};
      if (!fastest || last->seconds() < fastest->seconds()) fastest = last;
    }
    if (planned <= fastest_seconds) break;
    planned = std::max(fastest_seconds, std::min(planned, last->predicted_seconds) * budget.value / last->seconds());
  }
  refuse(budget, *fastest);
}

}  // namespace mpq
