#include <algorithm>
#include <map>
#include <tuple>

#include "mpq/execution.h"

#include "support/statistics.h"

namespace mpq {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

const PlacedSubnet& subnet_of(const Placement& placement, int lane, int subnet) {
  return placement.lanes.at(at(lane)).subnets.at(at(subnet));
}

/// Scales the times of every segment; neighbours go on saving what they save, in units of their own times.
void scale(const std::vector<double>& factors, CostColumn& column) {
  const std::vector<SegmentCost> old = column.costs;
  for (std::size_t s = 0; s < old.size(); ++s) {
    column.costs[s].alone.seconds *= factors[s];
    if (old[s].with_next.count == 0) continue;
    const double saved = old[s].alone.seconds + old[s + 1].alone.seconds - old[s].with_next.seconds;
    column.costs[s].with_next.seconds = factors[s] * old[s].alone.seconds + factors[s + 1] * old[s + 1].alone.seconds -
                                        (factors[s] + factors[s + 1]) / 2 * saved;
  }
}

}  // namespace

std::vector<SubnetFigures> subnet_figures(const std::vector<ExecutionEvent>& events, const Placement& placement) {
  std::map<std::tuple<int, int, int>, std::vector<double>> runs;
  for (const ExecutionEvent& event : events)
    runs[{event.lane, event.subnet, event.processor}].push_back(event.end - event.start);
  std::vector<SubnetFigures> result;
  for (const auto& [key, seconds] : runs) {
    const auto [lane, subnet, processor] = key;
    const PlacedSubnet& placed = subnet_of(placement, lane, subnet);
    const auto found = std::find(placed.processors.begin(), placed.processors.end(), processor);
    const double predicted = found != placed.processors.end()
                                 ? placed.seconds[static_cast<std::size_t>(found - placed.processors.begin())]
                                 : 0;
    result.push_back(
        {lane, subnet, processor, static_cast<std::int64_t>(seconds.size()), predicted, quantile(seconds, 0.5)});
  }
  return result;
}

Profile learned(const Profile& profile, const Placement& placement, const std::vector<SubnetFigures>& figures,
                const std::string& precision) {
  Profile result = profile;
  const std::string& mode = precision.empty() ? profile.base_precision : precision;
  std::map<int, std::vector<double>> factors;  // by processor
  for (const SubnetFigures& seen : figures) {
    if (!(seen.predicted_seconds > 0) || !(seen.measured_seconds > 0)) continue;
    std::vector<double>& column = factors.try_emplace(seen.processor, profile.segments.size(), 1.0).first->second;
    for (const int segment : subnet_of(placement, seen.lane, seen.subnet).segments)
      column.at(at(segment)) = seen.measured_seconds / seen.predicted_seconds;
  }
  for (CostColumn& column : result.columns) {
    const auto found = factors.find(column.processor);
    if (found != factors.end() && column.precision == mode) scale(found->second, column);
  }
  return result;
}

}  // namespace mpq
