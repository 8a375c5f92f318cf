#include <algorithm>

#include <fmt/format.h>

#include "report/html/svg.h"
#include "report/html/view.h"
#include "report/markup.h"
#include "report/numbers.h"

// Layers ranked by sensitivity, with error bars: names and figures are text beside the chart, row for row.

namespace mpq::report::html {
namespace {

constexpr std::size_t kMostRows = 40;
constexpr double kRow = 22;

Axis axis_of(const View& view, std::size_t rows) {
  std::vector<double> values;
  for (std::size_t i = 0; i < rows; ++i) {
    const LayerRow& row = view.ranked[i];
    values.push_back(row.weight());
    values.push_back(row.weight() + row.standard_error());
  }
  return damage_axis(values, 6);
}

std::string bar(const LayerRow& row, std::size_t index, std::size_t depth, const Axis& axis) {
  const double middle = kRow * (static_cast<double>(index) + 0.5);
  const double end = row.weight() > 0 ? axis.at(row.weight()) : 0;
  const int bits = row.entry != nullptr ? row.entry->candidate.bits : 0;
  std::string text = fmt::format(
      "<g><title>{}: {}</title><rect class=\"bar {}\" data-i=\"{}\" x=\"0\" y=\"{}\" width=\"{}\" "
      "height=\"14\" rx=\"2\"/>",
      markup_text(row.name), with_error(row.weight(), row.standard_error()), bits > 0 ? bits_class(bits) : "", depth,
      coordinate(middle - 7), percent_of(std::max(end, 0.4)));
  if (row.standard_error() > 0 && row.weight() > 0) {
    const double low = row.weight() > row.standard_error() ? axis.at(row.weight() - row.standard_error()) : 0;
    const double high = axis.at(row.weight() + row.standard_error());
    text += fmt::format(
        "<line class=\"error\" x1=\"{0}\" x2=\"{1}\" y1=\"{2}\" "
        "y2=\"{2}\"/>",
        percent_of(low), percent_of(high), coordinate(middle));
    for (const double x : {low, high}) {
      text += fmt::format("<line class=\"error\" x1=\"{0}\" x2=\"{0}\" y1=\"{1}\" y2=\"{2}\"/>", percent_of(x),
                          coordinate(middle - 4), coordinate(middle + 4));
    }
  }
  return text + "</g>\n";
}

}  // namespace

std::string ranked_card(const View& view) {
  if (view.ranked.empty()) return "";
  const std::size_t rows = std::min(view.ranked.size(), kMostRows);
  const Axis axis = axis_of(view, rows);
  const double height = kRow * static_cast<double>(rows);
  auto depth = depths(view);
  std::string names, values;
  std::string svg = fmt::format(
      "<svg class=\"chart\" role=\"img\" aria-label=\"Layers ranked by sensitivity\" "
      "width=\"100%\" height=\"{}\">\n",
      coordinate(height + 24));
  for (const Tick& tick : axis.ticks()) svg += vertical_grid_line(axis.at(tick.value), height, tick.label);
  for (std::size_t i = 0; i < rows; ++i) {
    const LayerRow& row = view.ranked[i];
    svg += bar(row, i, depth[row.name], axis);
    names += fmt::format("<li title=\"{}\">{}</li>\n", markup_text(row.name), markup_text(view.labels.at(row.name)));
    values += fmt::format("<li>{}</li>\n", with_error(row.weight(), row.standard_error()));
  }
  std::string lead =
      view.scores != nullptr
          ? "Damage to the outputs when this layer alone is stored at the reference width; the whisker is one standard "
            "error either way. Logarithmic."
          : "Predicted damage of each layer at its width. Logarithmic.";
  if (view.shown != nullptr) lead += " The colour is the width that the plan gives the layer.";
  if (rows < view.ranked.size())
    lead += fmt::format(
        " The {} most sensitive of {} layers; where scripts run the chart scrolls to the rest; the table below holds "
        "all.",
        rows, view.ranked.size());
  return card("ranked", "Which layers matter", lead,
              "<div class=\"still rows\"><ol class=\"names\">\n" + names + "</ol>" + svg +
                  "</svg><ol class=\"values\">\n" + values + "</ol></div>\n");
}

}  // namespace mpq::report::html
