#include <fmt/format.h>

#include "report/html/svg.h"
#include "report/html/view.h"
#include "report/markup.h"
#include "report/numbers.h"
#include "report/sections.h"

// Predicted against measured: each figure a dot with its standard error on one logarithmic scale.

namespace mpq::report::html {
namespace {

Axis axis_of(const std::vector<Figure>& figures) {
  std::vector<double> values;
  for (const Figure& f : figures) {
    values.push_back(f.value + f.error);
    values.push_back(f.value > f.error ? f.value - f.error : f.value);
  }
  return damage_axis(values);
}

}  // namespace

std::vector<Figure> damage_figures(const View& view) {
  std::vector<Figure> result;
  const auto add = [&](const std::string& name, const std::string& css, double value, double error) {
    if (value > 0) result.push_back({name, css, value, error});
  };
  if (view.plan != nullptr) {
    const Plan& plan = *view.plan;
    if (plan.lower_bound < plan.predicted_damage * (1 - 1e-3)) add("least possible", "bound", plan.lower_bound, 0);
    add("predicted", "predicted", plan.predicted_damage, plan.standard_error);
  }
  if (view.record.verification) {
    const Verification& v = *view.record.verification;
    add("measured", "measured", v.damage, v.damage_standard_error);
  }
  if (view.record.uniform_baseline) {
    const Verification& v = *view.record.uniform_baseline;
    add("one width, same bytes", "uniform", v.damage, v.damage_standard_error);
  }
  // Without a measurement there is nothing to compare.
  return view.record.verification && result.size() >= 2 ? result : std::vector<Figure>{};
}

std::string damage_card(const View& view) {
  const std::vector<Figure> figures = damage_figures(view);
  if (figures.empty()) return "";
  const Axis axis = axis_of(figures);
  constexpr double kRow = 34;
  const double height = kRow * static_cast<double>(figures.size());
  std::string names, values;
  std::string svg = fmt::format(
      "<svg class=\"chart\" role=\"img\" aria-label=\"Predicted against measured damage\" "
      "width=\"100%\" height=\"{}\">\n",
      coordinate(height + 24));
  for (const Tick& tick : axis.ticks()) svg += vertical_grid_line(axis.at(tick.value, 2, 98), height, tick.label);
  double y = kRow / 2;
  for (const Figure& f : figures) {
    svg += fmt::format(
        "<line class=\"error\" x1=\"{0}\" x2=\"{1}\" y1=\"{2}\" y2=\"{2}\"/><circle class=\"{3} dot\" "
        "cx=\"{4}\" cy=\"{2}\" r=\"7\"><title>{5}: {6}</title></circle>\n",
        percent_of(axis.at(f.value - f.error, 2, 98)), percent_of(axis.at(f.value + f.error, 2, 98)), coordinate(y),
        f.css, percent_of(axis.at(f.value, 2, 98)), f.name, with_error(f.value, f.error));
    names += "<li>" + f.name + "</li>\n";
    values += "<li>" + with_error(f.value, f.error) + "</li>\n";
    y += kRow;
  }
  const Verification& v = *view.record.verification;
  std::string lead = "Damage: " + markup_text(metric_text(v.metric)) + ". Measured on " +
                     markup_text(describe(v.data)) + " with the written file. Whiskers are one standard error.";
  if (view.plan != nullptr && view.plan->predicted_damage > 0)
    lead += fmt::format(" Measured is {:.2f} times the prediction.", v.damage / view.plan->predicted_damage);
  return card("damage", "Predicted against measured", lead,
              "<div class=\"still rows damagerows\"><ol class=\"names\">\n" + names + "</ol>" + svg +
                  "</svg><ol class=\"values\">\n" + values + "</ol></div>\n");
}

}  // namespace mpq::report::html
