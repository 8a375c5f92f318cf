#include "latency/planned_profile.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "mpq/error.h"

namespace mpq {
namespace {

constexpr const char* kPrecisions[] = {"", "int8", "int4"};  // "": that of the model itself

std::size_t at(int number) { return static_cast<std::size_t>(number); }

std::size_t kernel_number(const std::string& kernel) {
  const auto found = std::find(std::begin(kPrecisions), std::end(kPrecisions), kernel);
  return found == std::end(kPrecisions) ? 0 : static_cast<std::size_t>(found - std::begin(kPrecisions));
}

bool runs_whole(const CostColumn& column) {
  return std::all_of(column.costs.begin(), column.costs.end(), [](const SegmentCost& c) { return c.supported(); });
}

/// Seconds that a segment and the next one save in one session.
double saving(const CostColumn& column, std::size_t segment) {
  const auto& costs = column.costs;
  if (segment + 1 >= costs.size() || costs[segment].with_next.count == 0) return 0;
  return std::max(0.0,
                  costs[segment].alone.seconds + costs[segment + 1].alone.seconds - costs[segment].with_next.seconds);
}

/// What a column's times are multiplied by to add up to the measured whole.
double scale_of(const CostColumn& column) {
  double sum = 0;
  for (std::size_t s = 0; s < column.costs.size(); ++s) sum += column.costs[s].alone.seconds - saving(column, s);
  return column.whole && sum > 0 ? column.whole->seconds / sum : 1;
}

}  // namespace

PlannedProfile::PlannedProfile(const Profile& profile, std::vector<PlannedLayer> layers)
    : measured_profile_(profile), layers_(std::move(layers)), planned_(profile) {
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < layers_.size(); ++i) places.emplace(layers_[i].name, i);
  const std::set<std::string> integer(profile.integer_activations.begin(), profile.integer_activations.end());
  for (const Segment& segment : profile.segments) {
    std::vector<std::size_t>& own = within_.emplace_back();
    bool may_be_integer = segment.layers.empty() && !integer.empty();
    for (const std::string& name : segment.layers) {
      const auto found = places.find(name);
      if (found != places.end()) own.push_back(found->second);
      may_be_integer |= integer.count(name) > 0;
    }
    may_be_integer_.push_back(may_be_integer ? 1 : 0);
  }
  planned_.columns.clear();
  for (std::size_t p = 0; p < profile.processors.size(); ++p) {
    const CostColumn* base = profile.column(static_cast<int>(p), profile.base_precision);
    if (base == nullptr) continue;
    Measured& measured = measured_.emplace_back();
    measured.call_seconds = std::max(0.0, profile.processors[p].call_seconds);
    for (std::size_t k = 0; k < kKernels; ++k) {
      const CostColumn* column = k == 0 ? base : profile.column(static_cast<int>(p), kPrecisions[k]);
      measured.columns[k] = column != nullptr && runs_whole(*column) ? column : base;
      measured.scales[k] = scale_of(*measured.columns[k]);
    }
    planned_.columns.push_back(*base);
  }
  fill();
}

void PlannedProfile::set_kernel(std::size_t layer, const std::string& kernel) {
  if (std::exchange(layers_.at(layer).kernel, kernel) != kernel) fill();
}

double PlannedProfile::whole_seconds(int processor) const {
  const CostColumn* column = planned_.column(processor, planned_.base_precision);
  if (column == nullptr || !column->whole)
    throw Error(ErrorCode::kInternal, "The profile has no times of a processor.", planned_.model.path);
  return column->whole->seconds;
}

PlannedProfile::Mix PlannedProfile::mix_of(std::size_t segment) const {
  Mix mix{};
  for (const std::size_t layer : within_[segment]) mix[kernel_number(layers_[layer].kernel)] += layers_[layer].weight;
  if (measured_profile_.segments[segment].layers.empty()) {
    for (const int before : measured_profile_.segments[segment].predecessors) {
      for (std::size_t k = 0; k < kKernels; ++k) mix[k] += mixes_[at(before)][k];
    }
  }
  const double sum = std::accumulate(mix.begin(), mix.end(), 0.0);
  if (sum <= 0) return {1};
  for (double& share : mix) share /= sum;
  return mix;
}

double PlannedProfile::seconds_alone(const Measured& measured, std::size_t segment) const {
  double seconds = 0;
  for (std::size_t k = 0; k < kKernels; ++k)
    seconds += mixes_[segment][k] * measured.scales[k] * measured.columns[k]->costs[segment].alone.seconds;
  return seconds;
}

double PlannedProfile::seconds_saved(const Measured& measured, std::size_t segment) const {
  const Mix &here = mixes_[segment], &next = mixes_[segment + 1];
  const bool converts = may_be_integer_[segment] != 0 || may_be_integer_[segment + 1] != 0;
  double saved = 0, apart = 1;
  for (std::size_t k = 0; k < kKernels; ++k) {
    const double share = converts ? std::min(here[k], next[k]) : (here[k] + next[k]) / 2;
    saved += share * measured.scales[k] * saving(*measured.columns[k], segment);
    apart -= share;
  }
  return saved + std::max(0.0, apart) * measured.call_seconds;
}

void PlannedProfile::fill() {
  mixes_.clear();
  for (std::size_t s = 0; s < within_.size(); ++s) mixes_.push_back(mix_of(s));
  for (std::size_t c = 0; c < planned_.columns.size(); ++c) {
    CostColumn& column = planned_.columns[c];
    double whole = 0;
    for (std::size_t s = 0; s < column.costs.size(); ++s)
      whole += column.costs[s].alone.seconds = seconds_alone(measured_[c], s);
    for (std::size_t s = 0; s + 1 < column.costs.size(); ++s) {
      Timing& joined = column.costs[s].with_next;
      if (joined.count == 0) continue;
      const double saved = seconds_saved(measured_[c], s);
      joined.seconds = column.costs[s].alone.seconds + column.costs[s + 1].alone.seconds - saved;
      whole -= saved;
    }
    if (!runs_whole(column)) continue;
    if (!column.whole) column.whole.emplace();
    column.whole->seconds = whole;
    column.predicted = whole;
  }
}

}  // namespace mpq
