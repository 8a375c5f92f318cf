#include "latency_bench.h"

#include <chrono>
#include <utility>
#include <vector>

#include "mpq/error.h"

#include "profile/subnet.h"
#include "report/numbers.h"
#include "support/affinity.h"

namespace mpq {
namespace {

constexpr int kRepeats = 31;

int position_of(const Profile& profile, const std::string& name) {
  for (std::size_t i = 0; i < profile.processors.size(); ++i) {
    if (profile.processors[i].name == name) return static_cast<int>(i);
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

}  // namespace

LatencyBench::LatencyBench(const Model& original, const Profile& profile, const std::string& processor,
                           const Feed& feed)
    : original_(original), feed_(feed) {
  check_shapes(profile, feed);
  const int index = position_of(profile, processor);
  processor_ = profile.processors[static_cast<std::size_t>(index)];
  const CostColumn* column = profile.column(index, profile.base_precision);
  if (column != nullptr && column->whole) profiled_seconds_ = column->whole->seconds;
}

LatencyBench::LatencyBench(const Model& original, const Feed& feed) : original_(original), feed_(feed) {
  processor_.name = "one core";
  processor_.provider = "cpu";
  processor_.cores = {available_cores().front()};
}

profiling::Runner LatencyBench::runner(const Model& model, double& load_seconds) const {
  const PinnedThread pinned(profiling::calling_cores(processor_));
  const auto begin = std::chrono::steady_clock::now();
  runtime::Session session(model, profiling::session_options(processor_, "float32"));
  load_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
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

LatencyCheck LatencyBench::check(const QuantizedModel& written, const Observer& observer, double most_seconds) const {
  LatencyCheck check;
  const profiling::Runner original = runner(original_, check.original_load_seconds);
  const profiling::Runner candidate = runner(written.model(), check.load_seconds);
  const std::vector<Timing> times = profiling::time_in_turn({&original, &candidate}, kRepeats, most_seconds, observer);
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

}  // namespace mpq
