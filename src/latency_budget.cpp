#include "latency_budget.h"

#include <algorithm>
#include <utility>

#include "mpq/error.h"

#include "allocate/budget_limit.h"
#include "profile/subnet.h"
#include "report/numbers.h"
#include "support/affinity.h"

namespace mpq {
namespace {

constexpr int kRepeats = 31;
constexpr double kMostSeconds = 3;  ///< of each of the two models

const Processor& processor_of(const Profile& profile, const std::string& name) {
  for (const Processor& processor : profile.processors) {
    if (processor.name == name) return processor;
  }
  throw Error(ErrorCode::kInternal, "The profile has no processor " + name + ".", profile.model.path);
}

void check_shapes(const Profile& profile, const Feed& feed) {
  const auto text = [](const std::vector<std::int64_t>& shape) {
    return shape.empty() ? "a scalar" : report::shape_text(shape);
  };
  for (const BoundaryTensor& tensor : profile.tensors) {
    const auto fed = feed.find(tensor.name);
    if (tensor.producer >= 0 || fed == feed.end() || fed->second.shape() == tensor.shape) continue;
    throw Error(ErrorCode::kInvalidInput,
                "The profile was made with inputs of another shape: " + tensor.name + " was " + text(tensor.shape) +
                    ", here it is " + text(fed->second.shape()) + ".",
                profile.model.path, "Profile with the data that is calibrated with: mpq profile --data.");
  }
}

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

LatencyBench::LatencyBench(const Model& original, const Profile& profile, const std::string& processor,
                           const Feed& feed)
    : original_(original), processor_(processor_of(profile, processor)), feed_(feed) {
  check_shapes(profile, feed);
  const auto index = static_cast<int>(&processor_ - profile.processors.data());
  const CostColumn* column = profile.column(index, profile.base_precision);
  if (column != nullptr && column->whole) profiled_seconds_ = column->whole->seconds;
}

profiling::Runner LatencyBench::runner(const Model& model) const {
  const PinnedThread pinned(profiling::calling_cores(processor_));
  runtime::Session session(model, profiling::session_options(processor_, "float32"));
  std::vector<runtime::SharedValue> inputs;
  for (const ValueInfo& input : session.inputs()) {
    const auto fed = feed_.find(input.name);
    if (fed == feed_.end())
      throw Error(ErrorCode::kInvalidInput, "The samples lack the model's input \"" + input.name + "\".", input.name);
    inputs.emplace_back(fed->second);
  }
  profiling::Runner result = profiling::make_runner(std::move(session), std::move(inputs), processor_);
  (void)result.run();
  return result;
}

LatencyCheck LatencyBench::check(const QuantizedModel& written, const Observer& observer) const {
  const profiling::Runner original = runner(original_), candidate = runner(written.model());
  const std::vector<Timing> times = profiling::time_in_turn({&original, &candidate}, kRepeats, kMostSeconds, observer);
  LatencyCheck check;
  check.processor = processor_.name;
  check.noise = processor_.noise;
  check.profiled_seconds = profiled_seconds_;
  check.original_seconds = times[0].seconds;
  check.measured_seconds = times[1].seconds;
  check.spread_seconds = times[1].spread;
  if (const auto& time = written.plan().time) {
    check.budget = time->budget;
    check.limit_seconds = time->limit_seconds;
    check.predicted_seconds = time->predicted_seconds;
  }
  return check;
}

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
