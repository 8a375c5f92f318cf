#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "report/layer_rows.h"
#include "report/numbers.h"
#include "report/reports.h"
#include "report/sections.h"
#include "support/text.h"

namespace mpq::report {
namespace {

using Align = Column::Align;

std::size_t at(int number) { return static_cast<std::size_t>(number); }

std::string cores_text(const std::vector<int>& cores) {
  if (cores.empty()) return "-";
  const bool is_range = cores.back() - cores.front() + 1 == static_cast<int>(cores.size());
  if (cores.size() == 1) return std::to_string(cores.front());
  if (is_range) return fmt::format("{}-{}", cores.front(), cores.back());
  return fmt::format("{}", fmt::join(cores, "+"));
}

std::string processor_section(const Profile& profile, const Style& style) {
  Table table({{"processor", Align::kLeft, 10},
               {"computes with", Align::kLeft, 20},
               {"cores", Align::kLeft},
               {"call"},
               {"noise"}});
  for (const Processor& processor : profile.processors) {
    if (!processor.present()) continue;
    table.add({{printable(processor.name)},
               {printable(processor.description)},
               {cores_text(processor.cores)},
               {time_text(processor.call_seconds)},
               {percent(processor.noise)}});
  }
  std::string result = table.empty() ? "" : table.render(style);
  for (const Processor& processor : profile.processors) {
    if (processor.present()) continue;
    result += style.paint(Tone::kWarning, field("Absent", printable(processor.name + ": " + processor.absent), style));
  }
  return result;
}

/// The network as a whole: what was measured beside what the segments add up to.
std::string whole_section(const Profile& profile, const Style& style) {
  Table table({{"processor", Align::kLeft, 10},
               {"precision", Align::kLeft},
               {"segments"},
               {"whole\nnetwork"},
               {"from\nsegments"},
               {"ratio"},
               {"memory"}});
  for (const CostColumn& column : profile.columns) {
    const auto runs =
        std::count_if(column.costs.begin(), column.costs.end(), [](const auto& c) { return c.supported(); });
    const bool both = column.whole && column.predicted && column.whole->seconds > 0;
    table.add({{printable(profile.processors[at(column.processor)].name)},
               {column.precision},
               {fmt::format("{} of {}", runs, column.costs.size())},
               {column.whole ? time_text(column.whole->seconds) : "-"},
               {column.predicted ? time_text(*column.predicted) : "-"},
               {both ? fmt::format("{:.2f}", *column.predicted / column.whole->seconds) : "-"},
               {column.whole ? format_bytes(column.memory_bytes) : "-"}});
  }
  return table.render(style);
}

/// Seconds of a segment in the first column that runs it; what the list is sorted by.
double first_seconds(const Profile& profile, std::size_t segment) {
  for (const CostColumn& column : profile.columns) {
    if (column.costs[segment].supported()) return column.costs[segment].alone.seconds;
  }
  return 0;
}

std::string segment_section(const Profile& profile, const Style& style, int top) {
  std::vector<std::size_t> order(profile.segments.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return first_seconds(profile, a) > first_seconds(profile, b); });
  std::vector<Column> columns = {{"#"}, {"segment", Align::kLeft, 14}, {"leaves"}};
  for (const CostColumn& column : profile.columns)
    columns.push_back({printable(profile.processors[at(column.processor)].name) + '\n' + column.precision,
                       Align::kRight, 0, Column::Need::kUnlessTiny});
  Table table(columns);
  const std::size_t shown = shown_rows(order.size(), top);
  for (std::size_t k = 0; k < shown; ++k) {
    const Segment& segment = profile.segments[order[k]];
    std::int64_t bytes = 0;
    for (const int tensor : segment.outputs) bytes += profile.tensors[at(tensor)].bytes;
    std::vector<Cell> cells = {
        {std::to_string(order[k]), Tone::kFaint}, {printable(segment.name)}, {format_bytes(bytes)}};
    for (const CostColumn& column : profile.columns) {
      const SegmentCost& cost = column.costs[order[k]];
      cells.push_back({!cost.supported() ? "no" : !cost.same_as.empty() ? "same" : time_text(cost.alone.seconds)});
    }
    table.add(std::move(cells));
  }
  std::string result = table.render(style);
  if (!table.fits_whole(style))
    result += style.paint(
        Tone::kFaint, fmt::format("  {} the other columns need a wider window, or --format csv\n", style.ellipsis()));
  if (shown < order.size())
    result +=
        style.paint(Tone::kFaint, fmt::format("  {} {} faster segments\n", style.ellipsis(), order.size() - shown));
  return result;
}

std::string transfer_section(const Profile& profile, const Style& style) {
  if (profile.transfers.empty()) return "";
  Table table({{"from", Align::kLeft, 10}, {"to", Align::kLeft, 10}, {"fixed"}, {"per MB"}, {"fit error"}});
  for (const TransferCost& cost : profile.transfers) {
    table.add({{printable(profile.processors[at(cost.from)].name)},
               {printable(profile.processors[at(cost.to)].name)},
               {time_text(cost.fixed_seconds)},
               {time_text(cost.seconds_per_byte * 1e6)},
               {percent(cost.error)}});
  }
  return table.render(style);
}

/// Every reason why segments do not run somewhere, with how many share it.
std::string unsupported_section(const Profile& profile, const Style& style) {
  std::string result;
  for (const CostColumn& column : profile.columns) {
    std::vector<std::pair<std::string, int>> reasons;
    for (const SegmentCost& cost : column.costs) {
      if (cost.supported()) continue;
      const auto known =
          std::find_if(reasons.begin(), reasons.end(), [&](const auto& r) { return r.first == cost.unsupported; });
      known == reasons.end() ? (void)reasons.emplace_back(cost.unsupported, 1) : (void)++known->second;
    }
    for (const auto& [reason, count] : reasons) {
      result += field(
          "No",
          fmt::format("{} of {} at {}: {}", counted(count, "segment"),
                      printable(profile.processors[at(column.processor)].name), column.precision, printable(reason)),
          style);
    }
  }
  return result;
}

}  // namespace

std::string profile_report(const Profile& profile, const Style& style, int top) {
  std::string result = title("profile", profile.model.path, "", style);
  result += field("Model", describe(profile.model), style) + field("Data", describe(profile.data), style);
  result += field("Machine",
                  fmt::format("{}, {} cores, {}", printable(profile.machine.cpu), profile.machine.cores,
                              printable(profile.machine.runtime)),
                  style);
  result += field("Noise", percent(profile.noise) + " relative; measured in " + duration(profile.seconds), style);
  result += '\n' + processor_section(profile, style) + '\n' + whole_section(profile, style);
  result += '\n' + segment_section(profile, style, top);
  const std::string unsupported = unsupported_section(profile, style);
  if (!unsupported.empty()) result += '\n' + unsupported;
  const std::string transfers = transfer_section(profile, style);
  if (!transfers.empty()) result += '\n' + transfers;
  return result;
}

}  // namespace mpq::report
