#include "latency/timed_place.h"

#include <algorithm>
#include <set>

#include "mpq/error.h"

namespace mpq {
namespace {

std::size_t at(int number) { return static_cast<std::size_t>(number); }

Placement placed(const Profile& profile) {
  PlaceOptions options;
  options.task = TaskKind::kSync;
  return place(profile, options);
}

bool runs_network(const Profile& profile, int processor) {
  const CostColumn* column = profile.column(processor, profile.base_precision);
  return profile.processors[at(processor)].present() && column != nullptr && runs_whole(*column);
}

}  // namespace

bool runs_whole(const CostColumn& column) {
  return std::all_of(column.costs.begin(), column.costs.end(), [](const SegmentCost& c) { return c.supported(); });
}

std::string names_of(const Profile& profile, const std::vector<int>& processors) {
  std::string names;
  for (const int p : processors) names += (names.empty() ? "" : " + ") + profile.processors[at(p)].name;
  return names;
}

std::vector<int> processors_of(const Placement& placement) {
  std::set<int> used;
  for (const Lane& lane : placement.lanes) {
    for (const PlacedSubnet& subnet : lane.subnets) used.insert(subnet.processors.begin(), subnet.processors.end());
  }
  return {used.begin(), used.end()};
}

TimedPlace::TimedPlace(const Profile& profile, int processor) : profile_(&profile), processor_(processor) {
  float_seconds_ = PlannedProfile(profile, {}).whole_seconds(processor);
}

TimedPlace::TimedPlace(const Profile& divided) : profile_(&divided), placement_(placed(divided)) {
  float_seconds_ = placement_->seconds;
}

void TimedPlace::settle(const PlannedProfile& planned) {
  if (placement_) placement_ = placed(planned.profile());
}

double TimedPlace::seconds(const PlannedProfile& planned) const {
  return placement_ ? priced(planned.profile(), *placement_).seconds : planned.whole_seconds(processor_);
}

double TimedPlace::best_seconds(const PlannedProfile& planned) const {
  return placement_ ? placed(planned.profile()).seconds : planned.whole_seconds(processor_);
}

double TimedPlace::work_seconds(const PlannedProfile& planned) const {
  if (!placement_) return planned.whole_seconds(processor_);
  double sum = 0;
  for (const CostColumn& column : planned.profile().columns) {
    for (const SegmentCost& cost : column.costs) sum += cost.alone.seconds;
  }
  return sum / static_cast<double>(planned.profile().columns.size());
}

std::vector<int> TimedPlace::processors() const {
  return placement_ ? processors_of(*placement_) : std::vector<int>{processor_};
}

std::string TimedPlace::name() const { return names_of(*profile_, processors()); }

double TimedPlace::noise() const {
  double noise = 0;
  for (const int p : processors()) noise = std::max(noise, profile_->processors[at(p)].noise);
  return noise;
}

std::vector<TimedPlace> timed_places(const Profile& profile, bool divided) {
  if (divided) return {TimedPlace(profile)};
  std::vector<TimedPlace> places;
  for (std::size_t p = 0; p < profile.processors.size(); ++p) {
    if (runs_network(profile, static_cast<int>(p))) places.emplace_back(profile, static_cast<int>(p));
  }
  if (!places.empty()) return places;
  throw Error(ErrorCode::kInvalidInput, "No processor of the profile runs the whole network.", profile.model.path,
              "Profile the model again with --devices cpu.");
}

}  // namespace mpq
