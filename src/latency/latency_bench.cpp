#include "latency/latency_bench.h"

#include <chrono>
#include <memory>
#include <utility>

#include "mpq/error.h"
#include "mpq/executor.h"

#include "latency/timed_place.h"
#include "profile/subnet.h"
#include "profile/timing.h"
#include "report/numbers.h"
#include "support/affinity.h"

namespace mpq {
namespace {

constexpr int kRepeats = 31;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

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

std::vector<runtime::SharedValue> inputs_of(const runtime::Session& session, const Feed& feed) {
  std::vector<runtime::SharedValue> inputs;
  for (const ValueInfo& input : session.inputs()) {
    const auto fed = feed.find(input.name);
    if (fed == feed.end())
      throw Error(ErrorCode::kInvalidInput, "The samples lack the model's input \"" + input.name + "\".", input.name);
    inputs.emplace_back(fed->second);
  }
  return inputs;
}

}  // namespace

LatencyBench::LatencyBench(const Model& original, const Profile& profile, const std::string& processor, bool divided,
                           const Feed& feed)
    : original_(original), profile_(&profile), divided_(divided), feed_(feed) {
  check_shapes(profile, feed);
  if (divided) return;
  index_ = position_of(profile, processor);
  processor_ = profile.processors[static_cast<std::size_t>(index_)];
}

LatencyBench::LatencyBench(const Model& original, const Feed& feed) : original_(original), feed_(feed) {
  processor_.name = "one core";
  processor_.provider = "cpu";
  processor_.cores = {available_cores().front()};
}

LatencyBench::Network LatencyBench::in_one_session(const Model& model, const std::vector<PlannedLayer>& layers) const {
  const PinnedThread pinned(profiling::calling_cores(processor_));
  Network result;
  const Clock::time_point begin = Clock::now();
  runtime::Session session(model, profiling::session_options(processor_, "float32"));
  result.load_seconds = seconds_since(begin);
  std::vector<runtime::SharedValue> inputs = inputs_of(session, feed_);
  const auto runner = std::make_shared<const profiling::Runner>(
      profiling::make_runner(std::move(session), std::move(inputs), processor_));
  result.run = [runner] { return runner->timed(); };
  result.where = processor_.name;
  result.noise = processor_.noise;
  if (profile_ != nullptr) result.predicted_seconds = PlannedProfile(*profile_, layers).whole_seconds(index_);
  return result;
}

LatencyBench::Network LatencyBench::divided(const Model& model, const std::vector<PlannedLayer>& layers) const {
  Profile profile = PlannedProfile(*profile_, layers).profile();
  profile.model = model.facts();
  PlaceOptions options;
  options.task = TaskKind::kSync;
  const Placement placement = place(profile, options);
  Network result;
  const Clock::time_point begin = Clock::now();
  const auto executor = std::make_shared<Executor>(model, profile, placement);
  result.load_seconds = seconds_since(begin);
  result.run = [executor, this] {
    const Clock::time_point start = Clock::now();
    (void)executor->run(feed_);
    return seconds_since(start);
  };
  const std::vector<int> used = processors_of(placement);
  result.where = names_of(profile, used);
  for (const int p : used) result.noise = std::max(result.noise, profile.processors[static_cast<std::size_t>(p)].noise);
  result.predicted_seconds = placement.seconds;
  return result;
}

LatencyBench::Network LatencyBench::network(const Model& model, const std::vector<PlannedLayer>& layers) const {
  Network result = divided_ ? divided(model, layers) : in_one_session(model, layers);
  (void)result.run();
  return result;
}

LatencyCheck LatencyBench::check(const QuantizedModel& written, const std::vector<PlannedLayer>& layers,
                                 const Observer& observer, double most_seconds) const {
  const Network original = network(original_, {});
  const Network candidate = network(written.model(), layers);
  const std::vector<Timing> times =
      profiling::time_in_turn({original.run, candidate.run}, kRepeats, most_seconds, observer);
  LatencyCheck check;
  check.processor = candidate.where;
  check.noise = candidate.noise;
  check.load_seconds = candidate.load_seconds;
  check.original_load_seconds = original.load_seconds;
  check.predicted_seconds = candidate.predicted_seconds;
  check.profiled_seconds = original.predicted_seconds;
  check.original_seconds = times[0].seconds;
  check.measured_seconds = times[1].seconds;
  check.spread_seconds = times[1].spread;
  if (const auto& time = written.plan().time) {
    check.budget = time->budget;
    check.limit_seconds = time->limit_seconds;
  }
  return check;
}

}  // namespace mpq
