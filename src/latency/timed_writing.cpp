#include "latency/timed_writing.h"

#include "mpq/error.h"

#include "latency/best_times.h"
#include "latency/latency_bench.h"
#include "latency/latency_budget.h"
#include "latency/planned_kernels.h"

namespace mpq {
namespace {

/// The scores with the times of where to plan for. When the profile predicts that no plan meets the budget, the fastest
/// is written and measured all the same: a prediction may miss.
BestTimes times_of(const Writing& writing, const Sensitivity& scores, const Budget& size, AllocateOptions options) {
  options.activation_ranges = has_ranges(writing.calibration);
  const Profile& profile = *writing.options.profile;
  try {
    return best_times(scores, profile, size, options);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInfeasible || writing.options.dry_run) throw;
    return best_times(scores, profile, size, options.without_time_budget());
  }
}

}  // namespace

QuantizedModel write_timed(const Writing& writing, const Sensitivity& scores, const Budget& size, const Feed& judge,
                           const WriteWithinSize& write, RunRecord& record) {
  const PipelineOptions& options = writing.options;
  const BestTimes first = times_of(writing, scores, size, options.allocate);
  if (options.dry_run) return write(writing, first.scores);
  constexpr double kMostSeconds = 3;
  const LatencyBench bench(writing.model, *options.profile, first.scores.time.processor, options.allocate.divided,
                           judge);
  const auto measured = [&](const QuantizedModel& written) {
    AllocateOptions as_written = options.allocate;
    as_written.compute = written.plan().compute;
    as_written.activation_ranges = has_ranges(writing.calibration);
    const auto layers = planned_layers(scores, *options.profile, as_written, written.plan());
    return bench.check(written, layers, writing.observer, kMostSeconds);
  };
  if (!options.allocate.time_budget) {
    QuantizedModel written = write(writing, first.scores);
    record.latency = measured(written);
    return written;
  }
  const auto write_within = [&](double seconds, const std::string& compute) {
    PipelineOptions within = options;
    within.allocate.time_budget->value = seconds;
    within.allocate.compute = compute;
    const Writing narrowed{writing.model,    writing.integer_model, writing.quantizer,
                           writing.integers, writing.calibration,   within,
                           writing.observer};
    return write(narrowed, times_of(narrowed, scores, size, within.allocate).scores);
  };
  WithinLatency result = write_within_latency(*options.allocate.time_budget, first.fastest_seconds,
                                              options.allocate.compute, write_within, measured, writing.observer);
  record.latency = result.check;
  return std::move(result.model);
}

}  // namespace mpq
