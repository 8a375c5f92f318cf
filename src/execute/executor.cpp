#include "mpq/executor.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "mpq/error.h"

#include "execute/engine.h"
#include "execute/faults.h"
#include "execute/rows.h"
#include "execute/session_subnet.h"
#include "place/profile_problem.h"
#include "profile/subnet.h"
#include "runtime/feed_check.h"
#include "runtime/provider_facts.h"

namespace mpq {
namespace {

using executing::EnginePlan;
using executing::Value;

std::size_t at(int index) { return static_cast<std::size_t>(index); }

/// What makes sessions: kept as long as any thread may ask for one.
struct Workshop {
  Workshop(const Model& model, const Profile& measured, Placement placed, std::string mode)
      : profile(measured), placement(std::move(placed)), precision(std::move(mode)), parts(model, profile) {}

  std::unique_ptr<executing::Subnet> make(int lane, int task, int processor) const {
    const PlacedSubnet& subnet = placement.lanes[at(lane)].subnets[at(task)];
    const Processor& where = profile.processors[at(processor)];
    auto session = executing::make_session(parts, subnet.segments, where, precision);
    const auto fault = faults.find(where.name);
    return fault == faults.end() ? std::move(session) : executing::with_faults(std::move(session), fault->second);
  }

  Profile profile;
  Placement placement;
  std::string precision;
  profiling::CuttableModel parts;
  std::map<std::string, std::shared_ptr<executing::FaultyProcessor>> faults;
};

void check(const Profile& profile, const Placement& placement) {
  const auto refuse = [](const std::string& what) {
    throw Error(ErrorCode::kInvalidInput, what, "the placement", "Place the network again from this profile.");
  };
  if (placement.lanes.empty()) refuse("It has no lanes.");
  for (const Lane& lane : placement.lanes) {
    std::vector<char> seen(profile.segments.size(), 0);
    for (const PlacedSubnet& subnet : lane.subnets) {
      if (subnet.processors.empty()) refuse("One of its subnets has no processor.");
      for (const int p : subnet.processors) {
        if (p < 0 || at(p) >= profile.processors.size()) refuse("It names a processor that the profile does not have.");
        if (!profile.processors[at(p)].present())
          refuse("It uses " + profile.processors[at(p)].name +
                 ", which is absent: " + profile.processors[at(p)].absent);
      }
      for (const int segment : subnet.segments) {
        if (segment < 0 || at(segment) >= seen.size() || seen[at(segment)] != 0)
          refuse("It does not hold every segment of the profile once.");
        seen[at(segment)] = 1;
      }
    }
    if (std::count(seen.begin(), seen.end(), 0) > 0) refuse("It does not hold every segment of the profile once.");
  }
}

EnginePlan engine_plan(const Workshop& workshop) {
  const Profile& profile = workshop.profile;
  EnginePlan plan;
  const std::vector<std::uint64_t> resources = placing::resources_of(profile);
  for (std::size_t p = 0; p < profile.processors.size(); ++p)
    plan.processors.push_back(
        {profile.processors[p].name, resources[p], profiling::calling_cores(profile.processors[p])});
  plan.values = static_cast<int>(profile.tensors.size());
  for (int i = 0; i < plan.values; ++i) {
    if (profile.tensors[at(i)].network_output) plan.results.push_back(i);
  }
  for (const Lane& placed : workshop.placement.lanes) {
    executing::EngineLane& lane = plan.lanes.emplace_back();
    lane.rate = placed.rate > 0 ? placed.rate : 1;
    lane.in_flight = std::max(1, placed.in_flight);
    for (const PlacedSubnet& subnet : placed.subnets) {
      SubnetBoundary boundary = subnet_boundary(profile, subnet.segments);
      executing::EngineTask& task = lane.tasks.emplace_back();
      task.inputs = std::move(boundary.inputs);
      task.outputs = std::move(boundary.outputs);
      task.processors = subnet.processors;
      task.start = workshop.placement.task == TaskKind::kSync ? subnet.start : 0;
      for (std::size_t p = 0; p < profile.processors.size(); ++p) {
        task.seconds.push_back(profile.processors[p].present()
                                   ? subnet_seconds(profile, subnet.segments, static_cast<int>(p), workshop.precision)
                                   : std::numeric_limits<double>::infinity());
      }
    }
  }
  return plan;
}

}  // namespace

struct Executor::Impl {
  Impl(const Model& given, const Profile& profile, const Placement& placement, const ExecutorOptions& options)
      : model(given),
        workshop(std::make_shared<Workshop>(given, profile, placement,
                                            options.precision.empty() ? profile.base_precision : options.precision)) {
    for (const InjectedFault& fault : options.faults) faults_of[fault.processor].push_back(fault);
    for (auto& [name, faults] : faults_of)
      workshop->faults[name] = std::make_shared<executing::FaultyProcessor>(faults);
    const executing::EngineOptions engine_options{options.queue, options.stall_seconds, options.trace};
    const auto shared = workshop;
    engine = std::make_unique<executing::Engine>(
        engine_plan(*workshop), [shared](int lane, int task, int p) { return shared->make(lane, task, p); },
        engine_options);
  }

  ~Impl() {
    engine->wait();
    for (const auto& [name, processor] : workshop->faults) processor->release();
    engine.reset();
  }

  std::vector<Value> values_of(const Feed& inputs) const {
    std::vector<Value> values(workshop->profile.tensors.size());
    for (const ValueInfo& input : model.inputs()) {
      const Tensor& tensor = runtime::fed_tensor(input, inputs);
      for (std::size_t i = 0; i < values.size(); ++i) {
        const BoundaryTensor& known = workshop->profile.tensors[i];
        if (known.producer < 0 && known.name == input.name) values[i] = Value(tensor);
      }
    }
    return values;
  }

  Feed outputs_of(const std::vector<Value>& results) const {
    Feed outputs;
    std::size_t next = 0;
    for (const BoundaryTensor& tensor : workshop->profile.tensors) {
      if (tensor.network_output) outputs.emplace(tensor.name, results[next++].tensor());
    }
    return outputs;
  }

  std::future<Feed> submit(const Feed& inputs, int lane) {
    auto promise = std::make_shared<std::promise<Feed>>();
    std::future<Feed> future = promise->get_future();
    engine->submit(
        values_of(inputs),
        [this, promise](std::vector<Value> results, std::exception_ptr failure) {
          if (failure) {
            promise->set_exception(failure);
            return;
          }
          try {
            promise->set_value(outputs_of(results));
          } catch (...) {
            promise->set_exception(std::current_exception());
          }
        },
        lane);
    return future;
  }

  Model model;
  std::map<std::string, std::vector<InjectedFault>> faults_of;
  std::shared_ptr<Workshop> workshop;
  std::unique_ptr<executing::Engine> engine;
};

Executor::Executor(const Model& model, const Profile& profile, const Placement& placement,
                   const ExecutorOptions& options) {
  require_matches(profile, model);
  runtime::use_provider_library("openvino", options.openvino_library);
  runtime::use_provider_library("webgpu", options.webgpu_library);
  check(profile, placement);
  impl_ = std::make_unique<Impl>(model, profile, placement, options);
}

Executor::~Executor() = default;
Executor::Executor(Executor&&) noexcept = default;

std::future<Feed> Executor::submit(const Feed& inputs) { return impl_->submit(inputs, -1); }

Feed Executor::run(const Feed& inputs) {
  const Placement& placement = impl_->workshop->placement;
  const std::int64_t rows = placement.strategy == "batch split" ? divisible_rows(impl_->model, inputs) : 0;
  if (rows < 2) return impl_->submit(inputs, -1).get();
  std::vector<std::int64_t> shares;
  for (const Lane& lane : placement.lanes) shares.push_back(lane.rows);
  const std::vector<std::int64_t> counts = executing::divide_rows(rows, shares);
  std::vector<std::future<Feed>> futures;
  std::vector<std::int64_t> given;
  std::int64_t first = 0;
  for (std::size_t lane = 0; lane < counts.size(); ++lane) {
    if (counts[lane] == 0) continue;
    futures.push_back(impl_->submit(executing::rows_of(inputs, first, counts[lane]), static_cast<int>(lane)));
    given.push_back(counts[lane]);
    first += counts[lane];
  }
  std::vector<Feed> parts;
  for (std::future<Feed>& future : futures) parts.push_back(future.get());
  return executing::under_each_other(parts, given);
}

std::vector<ProcessorHealth> Executor::health() const {
  std::vector<ProcessorHealth> result;
  for (const executing::EngineHealth& health : impl_->engine->health())
    result.push_back({health.lost, health.runs, health.busy_seconds});
  return result;
}

std::vector<ExecutionEvent> Executor::events() const {
  std::vector<ExecutionEvent> result;
  for (const executing::EngineEvent& event : impl_->engine->events())
    result.push_back({event.request, event.lane, event.task, event.processor, event.start, event.end, event.entered});
  return result;
}

Profile Executor::marked_profile() const {
  Profile profile = impl_->workshop->profile;
  const std::vector<ProcessorHealth> states = health();
  for (std::size_t p = 0; p < states.size(); ++p) {
    if (!states[p].lost.empty()) profile.processors[p].absent = states[p].lost;
  }
  return profile;
}

}  // namespace mpq
