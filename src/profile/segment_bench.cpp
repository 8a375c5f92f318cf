#include "profile/segment_bench.h"

#include <algorithm>
#include <numeric>

#include "mpq/error.h"

#include "runtime/measure.h"
#include "support/affinity.h"

namespace mpq::profiling {
namespace {

/// The precision that is a mode of the provider: the model is as at its own.
constexpr const char* kProviderMode = "bfloat16";

}  // namespace

SegmentBench::Attempt SegmentBench::attempt(const CostColumn& column, const std::vector<int>& segments,
                                            const std::vector<runtime::SharedValue>& inputs) const {
  const Processor& processor = profile_.processors[static_cast<std::size_t>(column.processor)];
  const CuttableModel& model = variants_.at(column.precision)->model;
  Attempt result;
  try {
    // Threads a provider starts inherit the cores of the thread that makes the session.
    const PinnedThread pinned(calling_cores(processor));
    const std::int64_t before = runtime::resident_bytes();
    result.runner.emplace(make_runner(model.session(segments, processor, column.precision), inputs, processor));
    (void)result.runner->run();
    result.memory_bytes = result.runner->session.memory_bytes();
    if (result.memory_bytes == 0) result.memory_bytes = std::max<std::int64_t>(runtime::resident_bytes() - before, 0);
  } catch (const Error& error) {
    result.runner.reset();
    result.reason = error.what();
  }
  return result;
}

std::size_t SegmentBench::same_column(std::size_t column, const std::vector<int>& segments) const {
  const CostColumn& own = profile_.columns[column];
  if (own.precision == kProviderMode) return column;
  const std::set<std::string> wanted = arithmetic(own.precision, segments);
  for (std::size_t c = 0; c < column; ++c) {
    const CostColumn& other = profile_.columns[c];
    if (other.processor != own.processor || other.precision == kProviderMode) continue;
    if (arithmetic(other.precision, segments) == wanted) return c;
  }
  return column;
}

std::set<std::string> SegmentBench::arithmetic(const std::string& precision, const std::vector<int>& segments) const {
  const CuttableVariant& variant = *variants_.at(precision);
  std::set<std::string> result = rounded_values(variant.model.cut(segments));
  for (const int segment : segments) {
    for (const std::string& layer : profile_.segments[static_cast<std::size_t>(segment)].layers) {
      const auto found = variant.kernels.find(layer);
      if (found != variant.kernels.end()) result.insert(layer + ": " + found->second);
    }
  }
  return result;
}

std::vector<Timing> SegmentBench::time(const std::vector<Attempt>& attempts) const {
  std::vector<const Runner*> runners;
  for (const Attempt& attempt : attempts) {
    if (attempt.runner) runners.push_back(&*attempt.runner);
  }
  const std::vector<Timing> times = time_in_turn(runners, options_.repeats, options_.seconds_per_cell, observer_);
  std::vector<Timing> result;
  auto next = times.begin();
  for (const Attempt& attempt : attempts) result.push_back(attempt.runner ? *next++ : Timing{});
  return result;
}

std::vector<SegmentCost> SegmentBench::costs(int segment, const Walk& walk) const {
  const std::vector<int> alone = {segment}, joined = {segment, segment + 1};
  const bool is_last = segment + 1 == static_cast<int>(profile_.segments.size());
  const std::size_t count = profile_.columns.size();
  std::vector<Attempt> attempts(2 * count);  // alone, then with the next
  for (std::size_t c = 0; c < count; ++c) {
    if (same_column(c, alone) == c) attempts[c] = attempt(profile_.columns[c], alone, walk.inputs_of(alone));
    if (is_last || same_column(c, joined) != c) continue;
    attempts[count + c] = attempt(profile_.columns[c], joined, walk.inputs_of(joined));
  }
  const std::vector<Timing> times = time(attempts);
  std::vector<SegmentCost> costs(count);
  for (std::size_t c = 0; c < count; ++c) {
    const std::size_t same = same_column(c, alone);
    costs[c].unsupported = attempts[same].reason;
    costs[c].memory_bytes = attempts[same].memory_bytes;
    costs[c].alone = times[same];
    if (same != c) costs[c].same_as = profile_.columns[same].precision;
    if (!is_last) costs[c].with_next = times[count + same_column(c, joined)];
  }
  return costs;
}

void SegmentBench::time_whole(const std::vector<runtime::SharedValue>& inputs, std::vector<CostColumn>& columns) const {
  std::vector<int> all(profile_.segments.size());
  std::iota(all.begin(), all.end(), 0);
  // One precision after the other: all processors hold the network at once.
  for (const auto& [precision, variant] : variants_) {
    std::vector<Attempt> attempts;
    for (const CostColumn& column : columns)
      attempts.push_back(column.precision == precision ? attempt(column, all, inputs) : Attempt{});
    const std::vector<Timing> times = time(attempts);
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (!attempts[c].runner) continue;
      columns[c].whole = times[c];
      columns[c].memory_bytes = attempts[c].memory_bytes;
    }
  }
}

}  // namespace mpq::profiling
