#include "report/csv_fields.h"
#include "report/reports.h"

namespace mpq::report {
namespace {

std::string cost_row(std::size_t number_of_segment, const Segment& segment, const std::string& processor,
                     const std::string& precision, const SegmentCost& cost) {
  const bool has_time = cost.supported();
  const bool has_next = has_time && cost.with_next.count > 0;
  return row({std::to_string(number_of_segment), quoted(segment.name), quoted(processor), precision,
              has_time ? number(cost.alone.seconds) : "", has_time ? number(cost.alone.spread) : "",
              has_time ? std::to_string(cost.alone.count) : "", has_next ? number(cost.with_next.seconds) : "",
              has_next ? number(cost.with_next.spread) : "", has_next ? std::to_string(cost.with_next.count) : "",
              has_time ? std::to_string(cost.memory_bytes) : "", cost.same_as, quoted(cost.unsupported)});
}

}  // namespace

std::string profile_csv(const Profile& profile) {
  std::string text =
      row({"segment", "name", "processor", "precision", "seconds", "spread", "count", "with_next_seconds",
           "with_next_spread", "with_next_count", "memory_bytes", "same_as", "unsupported"});
  for (const CostColumn& column : profile.columns) {
    const std::string& processor = profile.processors[static_cast<std::size_t>(column.processor)].name;
    for (std::size_t i = 0; i < column.costs.size(); ++i)
      text += cost_row(i, profile.segments[i], processor, column.precision, column.costs[i]);
  }
  return text;
}

}  // namespace mpq::report
