#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "report/execution_view.h"
#include "report/html/svg.h"
#include "report/markup.h"
#include "report/numbers.h"
#include "report_assets.h"

// `mpq run --html`: the same style as the report's page, one file, no script.

namespace mpq::report::html {
namespace {

constexpr double kRow = 34;

std::string tile(const std::string& label, const std::string& value, const std::string& detail) {
  return fmt::format(
      "<div class=\"tile\"><div class=\"label\">{}</div><div class=\"value\">{}</div><div "
      "class=\"detail\">{}</div></div>\n",
      label, markup_text(value), markup_text(detail));
}

std::string tiles(const ExecutionRecord& record) {
  const Placement& placement = record.placement;
  const bool sync = placement.task == TaskKind::kSync;
  std::string text = "<div class=\"tiles\">\n";
  const std::string lanes = counted(std::ssize(placement.lanes), "lane");
  const std::string tried = record.trials > 0 ? fmt::format(", {} tried before", record.trials) : "";
  text += tile("Placement", placement.strategy, lanes + tried);
  if (!sync)
    text += tile("Requests per second", short_number(record.rate), "predicted " + short_number(placement.rate));
  text += tile("A request takes", milliseconds(record.median_seconds),
               "median; predicted " + milliseconds(placement.seconds));
  if (sync)
    text += tile("Lower bound", milliseconds(placement.lower_bound()), "no placement on these processors is faster");
  text += tile("Requests", std::to_string(record.requests),
               record.failed > 0 ? fmt::format("{} failed", record.failed) : "none failed");
  return text + "</div>\n";
}

std::vector<int> shown_processors(const ExecutionRecord& record) {
  std::vector<int> shown;
  for (const ExecutionEvent& event : record.timeline) {
    if (std::find(shown.begin(), shown.end(), event.processor) == shown.end()) shown.push_back(event.processor);
  }
  std::sort(shown.begin(), shown.end());
  return shown;
}

/// Round steps of time, about eight of them.
double tick_step(double seconds) {
  double step = 1e-6;
  while (seconds / step > 10)
    step *= seconds / (step * 10) > 10 ? 10 : seconds / (step * 2) <= 10 ? 2 : seconds / (step * 5) <= 10 ? 5 : 10;
  return step;
}

std::string bar(const ExecutionRecord& record, const ExecutionEvent& event, std::size_t row, double first,
                double span) {
  const PlacedSubnet& subnet = record.placement.lanes.at(static_cast<std::size_t>(event.lane))
                                   .subnets.at(static_cast<std::size_t>(event.subnet));
  const double x = 100 * (event.start - first) / span, width = 100 * (event.end - event.start) / span;
  return fmt::format(
      "<g><title>request {}, lane {}, {}: {}</title><rect class=\"c{} part\" x=\"{}\" y=\"{}\" width=\"{}\" "
      "height=\"22\" rx=\"2\"/></g>\n",
      event.request, event.lane + 1, markup_text(segments_text(record, subnet)), milliseconds(event.end - event.start),
      event.request % 8, percent_of(x), coordinate(kRow * static_cast<double>(row) + 6),
      percent_of(std::max(width, 0.1)));
}

std::string timeline_card(const ExecutionRecord& record) {
  const auto [first, last] = timeline_span(record);
  const double span = last - first;
  if (span <= 0) return "";
  const std::vector<int> shown = shown_processors(record);
  const double height = kRow * static_cast<double>(shown.size());
  std::vector<std::string> processors;
  for (const int p : shown) processors.push_back(record.processors.at(static_cast<std::size_t>(p)));
  processors = chart_names(processors);
  std::string names;
  std::string svg =
      fmt::format("<svg class=\"chart\" role=\"img\" aria-label=\"Timeline\" width=\"100%\" height=\"{}\">\n",
                  coordinate(height + 24));
  const double step = tick_step(span);
  for (int i = 0; i * step <= span; ++i)
    svg += vertical_grid_line(100 * i * step / span, height, fmt::format("{:g} ms", 1e3 * i * step));
  for (std::size_t row = 0; row < shown.size(); ++row) {
    names += fmt::format("<li>{}</li>\n", markup_text(processors[row]));
    for (const ExecutionEvent& event : record.timeline) {
      if (event.processor == shown[row]) svg += bar(record, event, row, first, span);
    }
  }
  return card("timeline", "Who works when",
              "Requests in the middle of the run, one colour each in turn. Point at a bar for its part of the network.",
              "<div class=\"rows damagerows\"><ol class=\"names\">\n" + names + "</ol>" + svg + "</svg></div>\n");
}

std::string placement_card(const ExecutionRecord& record) {
  std::string rows;
  for (const SubnetFigures& figures : record.subnets) {
    const PlacedSubnet& subnet = record.placement.lanes.at(static_cast<std::size_t>(figures.lane))
                                     .subnets.at(static_cast<std::size_t>(figures.subnet));
    rows += fmt::format(
        "<tr><td>{}</td><td class=\"l name\">{}</td><td class=\"l\">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        figures.lane + 1, markup_text(segments_text(record, subnet)),
        markup_text(record.processors.at(static_cast<std::size_t>(figures.processor))), figures.runs,
        figures.predicted_seconds > 0 ? milliseconds(figures.predicted_seconds) : "took over",
        milliseconds(figures.measured_seconds));
  }
  return card(
      "placement", "What runs where", markup_text(choice_text(record)),
      "<div class=\"scroll\"><table><thead><tr><th>lane</th><th class=\"l\">segments</th><th class=\"l\">processor</th>"
      "<th>runs</th><th>predicted</th><th>measured</th></tr></thead><tbody>\n" +
          rows + "</tbody></table></div>\n");
}

std::string lost(const ExecutionRecord& record) {
  std::string text;
  for (std::size_t p = 0; p < record.health.size(); ++p) {
    if (!record.health[p].lost.empty())
      text += fmt::format("<p class=\"caution\"><strong>Lost</strong> {}: {}</p>\n", markup_text(record.processors[p]),
                          markup_text(record.health[p].lost));
  }
  return text;
}

}  // namespace

std::string execution_page(const ExecutionRecord& record) {
  std::string text = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  text +=
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n";
  text += "<title>" + markup_text("mpq run: " + record.model.path) + "</title>\n<style>\n" + std::string(kStyle) +
          "</style>\n</head>\n<body>\n<main>\n";
  text += fmt::format(
      "<header>\n<div><p class=\"kicker\">mpq run, {}</p>\n<h1>{}</h1></div>\n<div class=\"right\"><span>mpq "
      "{}</span></div>\n</header>\n",
      record.placement.task == TaskKind::kSync ? "synchronous" : "asynchronous", markup_text(record.model.path),
      markup_text(record.mpq_version));
  text += lost(record) + tiles(record) + "<div class=\"cards\">\n" + timeline_card(record) + placement_card(record) +
          "</div>\n";
  return text + "</main>\n</body>\n</html>\n";
}

}  // namespace mpq::report::html
