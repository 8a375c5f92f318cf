#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "report/html/svg.h"
#include "report/html/view.h"
#include "report/markup.h"
#include "report/next_step.h"
#include "report/reports.h"
#include "report_assets.h"

// One file, no network: the style and the scripts are in the page, and its policy forbids everything else.

namespace mpq::report {
namespace html {

View make_view(const RunRecord& record, const ReportOptions& options) {
  const Sensitivity* scores = record.sensitivity ? &*record.sensitivity : nullptr;
  const Plan* plan = record.plan && record.plan->parameters > 0 ? &*record.plan : nullptr;
  const auto& points = options.frontier;
  const Plan* shown = plan == nullptr && points.size() >= 2 ? &points[points.size() / 2] : plan;
  View view{record, scores, plan, shown, points, options.uniforms, layer_rows(scores, shown), {}, {}};
  view.deep = view.ranked;
  std::vector<std::string> names;
  for (const LayerRow& row : view.deep) names.push_back(row.name);
  const std::vector<std::string> shown_names = chart_names(names);
  for (std::size_t i = 0; i < names.size(); ++i) view.labels[names[i]] = shown_names[i];
  const auto depth = [&](const LayerRow& row) {
    if (row.scores != nullptr) return row.scores - scores->layers.data();
    return row.entry - shown->entries.data() + (scores != nullptr ? std::ssize(scores->layers) : 0);
  };
  std::stable_sort(view.deep.begin(), view.deep.end(),
                   [&](const LayerRow& a, const LayerRow& b) { return depth(a) < depth(b); });
  return view;
}

std::map<std::string, std::size_t> depths(const View& view) {
  std::map<std::string, std::size_t> result;
  for (std::size_t i = 0; i < view.deep.size(); ++i) result[view.deep[i].name] = i;
  return result;
}

namespace {

std::string cautions(const RunRecord& record) {
  std::string text;
  const bool synthetic = (record.sensitivity && record.sensitivity->data.synthetic) ||
                         (record.verification && record.verification->data.synthetic);
  if (synthetic)
    text +=
        "<p class=\"caution\"><strong>Caution</strong> The samples are synthetic: made from the inputs' shapes and "
        "types alone. These figures prove little about the model's quality on real inputs.</p>\n";
  for (const std::string& warning : record.warnings)
    text += "<p class=\"caution\"><strong>Warning</strong> " + markup_text(warning) + "</p>\n";
  return text;
}

std::string next_line(const RunRecord& record) {
  const NextStep next = next_step(record);
  return fmt::format("<p class=\"next\">{}: <code>{}</code></p>\n", markup_text(next.why), markup_text(next.command));
}

std::string header(const RunRecord& record) {
  const std::string version = record.mpq_version.empty() ? "" : "mpq " + record.mpq_version;
  return fmt::format(
      "<header>\n<div><p class=\"kicker\">mpq {}</p>\n<h1>{}</h1></div>\n<div class=\"right\"><span>{}</span> <button "
      "type=\"button\" id=\"theme\" class=\"js\" hidden>Dark / light</button></div>\n</header>\n",
      markup_text(record.command), markup_text(record.model.path), markup_text(version));
}

/// The library of charts that the page carries asks for its licences beside it.
std::string licences() {
  if (*kChartLicences == '\0') return "";
  std::string text = "<details class=\"licences\"><summary>Licences of what this page carries</summary><pre>\n";
  std::istringstream lines(kChartLicences);
  for (std::string line; std::getline(lines, line);) text += markup_text(line) + '\n';
  return text + "</pre></details>\n";
}

std::string scripts(const View& view) {
  std::string text = "<script type=\"application/json\" id=\"data\">" + script_data(view) + "</script>\n";
  if (*kChartLibrary != '\0')
    text += "<script type=\"application/octet-stream\" id=\"library\">" + std::string(kChartLibrary) + "</script>\n";
  return text + "<script>\n" + std::string(kScript) + "</script>\n";
}

}  // namespace
}  // namespace html

std::string html_report(const RunRecord& record, const ReportOptions& options) {
  const html::View view = html::make_view(record, options);
  std::string text = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  text +=
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "script-src 'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n";
  text += "<title>" + markup_text("mpq " + record.command + ": " + record.model.path) + "</title>\n<style>\n";
  text += std::string(html::kStyle) + "</style>\n</head>\n<body>\n<main>\n";
  text += html::header(record) + html::cautions(record) + html::tiles(view) + html::next_line(record);
  text += "<div class=\"cards\">\n" + html::frontier_card(view) + html::ranked_card(view) + html::heat_card(view) +
          html::depth_card(view) + html::damage_card(view) + html::bytes_card(view) + html::layer_table(view) +
          html::output_table(view) + html::skipped_table(view) + html::facts(view) + "</div>\n";
  text += html::licences() + "</main>\n<div id=\"tip\" role=\"status\" hidden></div>\n";
  return text + html::scripts(view) + "</body>\n</html>\n";
}

}  // namespace mpq::report
