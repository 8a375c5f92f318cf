#include <algorithm>

#include <fmt/format.h>

#include "mpq/error.h"
#include "mpq/execution.h"

#include "report/execution_view.h"
#include "report/numbers.h"
#include "report/sections.h"
#include "report/style.h"
#include "report/table.h"
#include "support/files.h"

namespace mpq {
namespace report {

std::string segments_text(const ExecutionRecord& record, const PlacedSubnet& subnet) {
  const auto name = [&](int segment) { return printable(record.segments.at(static_cast<std::size_t>(segment))); };
  if (subnet.segments.size() == record.segments.size()) return fmt::format("all {}", subnet.segments.size());
  if (subnet.segments.size() == 1) return name(subnet.segments[0]);
  return fmt::format("{} ... {} ({})", name(subnet.segments.front()), name(subnet.segments.back()),
                     subnet.segments.size());
}

std::string milliseconds(double seconds) { return fmt::format("{:.3g} ms", 1e3 * seconds); }

std::string choice_text(const ExecutionRecord& record) {
  const Placement& placement = record.placement;
  const bool sync = placement.task == TaskKind::kSync;
  std::string text = placement.strategy;
  const auto figure = [&](double rate, double seconds) {
    return sync ? milliseconds(seconds) : fmt::format("{} requests/s", short_number(rate));
  };
  text += ": " + figure(placement.rate, placement.seconds);
  for (const PlacementAlternative& other : placement.alternatives) {
    if (other.strategy != placement.strategy)
      text += fmt::format("; {} {}", other.strategy, figure(other.rate, other.seconds));
  }
  return text;
}

std::pair<double, double> timeline_span(const ExecutionRecord& record) {
  if (record.timeline.empty()) return {0, 0};
  double first = record.timeline[0].start, last = record.timeline[0].end;
  for (const ExecutionEvent& event : record.timeline) {
    first = std::min(first, event.start);
    last = std::max(last, event.end);
  }
  return {first, last};
}

namespace {

std::string percent_off(double predicted, double measured) {
  return predicted > 0 ? fmt::format("{:+.1f} %", 100 * (measured / predicted - 1)) : "-";
}

std::string placement_table(const ExecutionRecord& record, const Style& style) {
  using Align = Column::Align;
  Table table({{"lane"},
               {"segments", Align::kLeft, 20},
               {"processor", Align::kLeft},
               {"runs", Align::kRight, 0, Column::Need::kRoomy},
               {"predicted"},
               {"measured"},
               {"off"}});
  for (const SubnetFigures& figures : record.subnets) {
    const Lane& lane = record.placement.lanes.at(static_cast<std::size_t>(figures.lane));
    const PlacedSubnet& subnet = lane.subnets.at(static_cast<std::size_t>(figures.subnet));
    std::string what = segments_text(record, subnet);
    if (lane.rows > 0) what += fmt::format(", {}", counted(lane.rows, "row"));
    const bool moved = figures.predicted_seconds <= 0;
    table.add({{std::to_string(figures.lane + 1)},
               {what},
               {record.processors.at(static_cast<std::size_t>(figures.processor)) + (moved ? " (took over)" : "")},
               {std::to_string(figures.runs)},
               {moved ? "-" : milliseconds(figures.predicted_seconds)},
               {milliseconds(figures.measured_seconds)},
               {percent_off(figures.predicted_seconds, figures.measured_seconds)}});
  }
  return table.render(style);
}

std::string figures_table(const ExecutionRecord& record, const Style& style) {
  const Placement& placement = record.placement;
  Table table({{"", Column::Align::kLeft}, {"predicted"}, {"measured"}, {"off"}});
  if (placement.task == TaskKind::kAsync)
    table.add({{"requests per second"},
               {short_number(placement.rate)},
               {short_number(record.rate)},
               {percent_off(placement.rate, record.rate)}});
  table.add({{"seconds of a request, median"},
             {milliseconds(placement.seconds)},
             {milliseconds(record.median_seconds)},
             {percent_off(placement.seconds, record.median_seconds)}});
  table.add({{"90 % are answered within"}, {"-"}, {milliseconds(record.p90_seconds)}, {"-"}});
  if (placement.task == TaskKind::kSync)
    table.add({{"lower bound"}, {milliseconds(placement.lower_bound())}, {"-"}, {"-"}});
  return table.render(style);
}

std::string lost_lines(const ExecutionRecord& record, const Style& style) {
  std::string text;
  for (std::size_t p = 0; p < record.health.size(); ++p) {
    if (record.health[p].lost.empty()) continue;
    text += style.paint(Tone::kBad, wrap(fmt::format("{} was lost: {}", record.processors[p], record.health[p].lost), 0,
                                         style.width())) +
            '\n';
  }
  if (record.failed > 0)
    text += style.paint(Tone::kBad, wrap(fmt::format("{} failed, the first: {}", counted(record.failed, "request"),
                                                     printable(record.failure)),
                                         0, style.width())) +
            '\n';
  return text;
}

std::string terminal(const ExecutionRecord& record, const Style& style, bool explain) {
  const Placement& placement = record.placement;
  std::string text = title("run", record.model.path, record.mpq_version, style);
  text += field("Model", describe(record.model), style);
  text += field("Data", describe(record.data), style);
  text += field("Task",
                fmt::format("{}, {}, {}{}", placement.task == TaskKind::kSync ? "synchronous" : "asynchronous",
                            counted(record.requests, "request"), record.precision,
                            record.latency_limit ? ", at most " + milliseconds(*record.latency_limit) : ""),
                style);
  text += field("Placement", choice_text(record), style);
  if (record.trials > 0)
    text += field("Tried",
                  fmt::format("{} that divide the network, with a few requests each; predicted is by what these took",
                              counted(record.trials, "placement")),
                  style);
  if (placement.task == TaskKind::kSync)
    text += field("Bound",
                  fmt::format("{}: the longest chain takes {}, the work divided by the processors {}",
                              milliseconds(placement.lower_bound()), milliseconds(placement.critical_path),
                              milliseconds(placement.work_bound)),
                  style);
  text += '\n' + placement_table(record, style) + '\n' + figures_table(record, style);
  const std::string lost = lost_lines(record, style);
  if (!lost.empty()) text += '\n' + lost;
  if (explain && !record.timeline.empty()) text += '\n' + timeline_text(record, style);
  return text;
}

}  // namespace
}  // namespace report

std::string render(const ExecutionRecord& record, const ReportOptions& options, bool explain) {
  constexpr int kLeastWidth = 60;
  if (options.format == "json") return to_json(record);
  if (options.format == "html") return report::html::execution_page(record);
  if (options.format == "table")
    return report::terminal(record, report::Style(options.color, options.unicode, std::max(options.width, kLeastWidth)),
                            explain);
  throw Error(ErrorCode::kUsage, "There is no format \"" + options.format + "\" for an execution.", "--format",
              "The formats are table, json and html.");
}

void write_report(const std::string& path, const ExecutionRecord& record, const ReportOptions& options, bool force) {
  const std::string text = render(record, options);
  AtomicFile file(path, force);
  file.write(text);
  file.commit();
}

}  // namespace mpq
