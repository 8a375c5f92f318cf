#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "report/html/svg.h"
#include "report/html/view.h"
#include "report/markup.h"
#include "report/numbers.h"
#include "support/text.h"

// Bytes against damage: the frontier's plans, one width everywhere beside them, the chosen plan and what was measured.

namespace mpq::report::html {
namespace {

constexpr double kLeft = 3, kRight = 97;    // per cent
constexpr double kTop = 30, kBottom = 330;  // pixels
constexpr double kHeight = 372;

struct Frame {
  Axis x, y;
  double px(std::int64_t bytes) const { return x.at(static_cast<double>(bytes), kLeft, kRight); }
  double py(double damage) const { return y.at(damage, kBottom, kTop); }
};

Frame frame(const View& view) {
  std::vector<double> bytes, damages;
  for (const auto* plans : {&view.frontier, &view.uniforms}) {
    for (const Plan& plan : *plans) {
      bytes.push_back(static_cast<double>(plan.stored_bytes));
      damages.push_back(plan.predicted_damage);
    }
  }
  if (view.record.verification) damages.push_back(view.record.verification->damage);
  const auto [low, high] = std::minmax_element(bytes.begin(), bytes.end());
  return {bytes_axis(std::max(1.0, *low * 0.97), *high * 1.02), damage_axis(damages)};
}

std::string axes(const Frame& f) {
  std::string text;
  for (const Tick& tick : f.y.ticks()) {
    const double y = f.py(tick.value);
    text += fmt::format("<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"{0}\" y2=\"{0}\"/>", coordinate(y));
    text += fmt::format("<text class=\"tick\" x=\"2\" y=\"{}\">{}</text>\n", coordinate(y - 4), tick.label);
  }
  double last = -100;
  for (const Tick& tick : f.x.ticks()) {
    const double x = f.x.at(tick.value, kLeft, kRight);
    text += fmt::format("<line class=\"tickmark\" x1=\"{0}\" x2=\"{0}\" y1=\"{1}\" y2=\"{2}\"/>", percent_of(x),
                        coordinate(kBottom), coordinate(kBottom + 5));
    if (x - last < 12) continue;
    text += fmt::format("<text class=\"tick mid\" x=\"{}\" y=\"{}\">{}</text>\n", percent_of(x),
                        coordinate(kBottom + 20), tick.label);
    last = x;
  }
  text += fmt::format("<text class=\"tick\" x=\"2\" y=\"13\">damage</text>");
  return text + fmt::format("<text class=\"tick end\" x=\"100%\" y=\"{}\">bytes of the quantizable weights</text>\n",
                            coordinate(kHeight - 3));
}

/// A line whose points are per cent across and pixels down: a stretched inner view.
std::string line(const Frame& f, const std::vector<Plan>& plans, const char* css) {
  std::string points;
  for (const Plan& plan : plans) {
    if (!(plan.predicted_damage > 0)) continue;
    points += fmt::format("{},{} ", coordinate(10 * f.px(plan.stored_bytes)), coordinate(f.py(plan.predicted_damage)));
  }
  return fmt::format(
      "<svg width=\"100%\" height=\"{0}\" viewBox=\"0 0 1000 {0}\" preserveAspectRatio=\"none\">"
      "<polyline class=\"{1}\" points=\"{2}\"/></svg>\n",
      coordinate(kHeight), css, points);
}

std::string describe_point(const View& view, const Plan& plan) {
  const auto share = [&] {
    const auto whole = static_cast<double>(view.record.model.bytes);
    return whole > 0 ? fmt::format(" = {:.1f} % of the model", 100 * static_cast<double>(plan.file_bytes) / whole) : "";
  };
  return fmt::format("{:.3f} bits per weight, {} bytes\nfile {} bytes{}\npredicted damage {}", plan.bits_per_weight,
                     format_count(plan.stored_bytes), format_count(plan.file_bytes), share(),
                     with_error(plan.predicted_damage, plan.standard_error));
}

std::string points(const View& view, const Frame& f) {
  std::string text;
  for (std::size_t i = 0; i < view.frontier.size(); ++i) {
    const Plan& plan = view.frontier[i];
    if (!(plan.predicted_damage > 0)) continue;
    text += fmt::format(
        "<circle class=\"dot pick\" data-p=\"{}\" cx=\"{}\" cy=\"{}\" r=\"4.5\"><title>{}</title>"
        "</circle>\n",
        i, percent_of(f.px(plan.stored_bytes)), coordinate(f.py(plan.predicted_damage)), describe_point(view, plan));
  }
  return text;
}

/// "one width": a square, labelled where there is room.
std::string uniform_points(const View& view, const Frame& f) {
  std::string text;
  for (const Plan& plan : view.uniforms) {
    if (!(plan.predicted_damage > 0)) continue;
    const double y = f.py(plan.predicted_damage);
    const std::string x = percent_of(f.px(plan.stored_bytes));
    const int bits = uniform_bits(plan);
    text += fmt::format(
        "<svg x=\"{}\" y=\"{}\" overflow=\"visible\"><rect class=\"uniform\" x=\"-5\" y=\"-5\" "
        "width=\"10\" height=\"10\"><title>one width everywhere: {} bit\n{}</title></rect>"
        "<text class=\"tick\" x=\"9\" y=\"-4\">{}</text></svg>\n",
        x, coordinate(y), bits, describe_point(view, plan), bits);
  }
  return text;
}

std::string chosen(const View& view, const Frame& f) {
  if (view.plan == nullptr || !(view.plan->predicted_damage > 0)) return "";
  const Plan& plan = *view.plan;
  const std::string x = percent_of(f.px(plan.stored_bytes));
  std::string text =
      fmt::format("<circle class=\"chosen\" cx=\"{}\" cy=\"{}\" r=\"8\"><title>chosen: {}\n{}</title></circle>\n", x,
                  coordinate(f.py(plan.predicted_damage)), markup_text(plan.budget), describe_point(view, plan));
  if (!view.record.verification || !(view.record.verification->damage > 0)) return text;
  const Verification& v = *view.record.verification;
  const double y = f.py(v.damage);
  const double low = f.py(std::max(v.damage - v.damage_standard_error, f.y.low()));
  const double high = f.py(v.damage + v.damage_standard_error);
  text += fmt::format("<line class=\"error measured\" x1=\"{0}\" x2=\"{0}\" y1=\"{1}\" y2=\"{2}\"/>", x,
                      coordinate(low), coordinate(high));
  return text + fmt::format(
                    "<svg x=\"{}\" y=\"{}\" overflow=\"visible\"><path class=\"measured\" d=\"M0 -7 7 0 0 7 -7 "
                    "0z\"><title>measured on the written file: {}</title></path></svg>\n",
                    x, coordinate(y), with_error(v.damage, v.damage_standard_error));
}

std::string legend(const View& view) {
  std::string text =
      "<p class=\"legend\"><span class=\"key line\"></span>frontier: least predicted damage for the size";
  if (!view.uniforms.empty()) text += " <span class=\"key square\"></span>one width everywhere, predicted (its bits)";
  if (view.plan != nullptr) text += " <span class=\"key ring\"></span>this plan, predicted";
  if (view.record.verification) text += " <span class=\"key diamond\"></span>this plan, measured";
  return text + "</p>\n";
}

/// The panel that the script fills, and the same facts as a table for those without one.
std::string what_if(const View& view) {
  const CommandAround command = command_around(view.record);
  std::string text =
      "<div class=\"whatif js\" hidden>\n<label for=\"slider\">What if the file were smaller or larger?</label>\n"
      "<input type=\"range\" id=\"slider\" min=\"0\" max=\"" +
      std::to_string(view.frontier.size() - 1) +
      "\" value=\"0\">\n<p id=\"point\" aria-live=\"polite\"></p>\n<div id=\"mix\"></div>\n"
      "<div class=\"command\"><code id=\"command\"></code><button type=\"button\" id=\"copy\">Copy</button></div>\n"
      "<p class=\"lead\"><button type=\"button\" id=\"reset\">Back to " +
      std::string(view.plan != nullptr ? "this run's plan" : "the first point") +
      "</button> The widths in the charts and in the table below follow the point.</p>\n</div>\n";
  text +=
      "<details><summary>The points as a table, with their commands</summary>\n<div class=\"scroll\"><table>\n"
      "<thead><tr><th>bits/weight</th><th>file bytes</th><th>predicted damage</th><th class=\"l\">command</th></tr>"
      "</thead>\n<tbody>\n";
  for (const Plan& plan : view.frontier) {
    text += fmt::format("<tr><td>{:.3f}</td><td>{}</td><td>{}</td><td class=\"l\"><code>{}</code></td></tr>\n",
                        plan.bits_per_weight, format_count(plan.file_bytes), short_number(plan.predicted_damage),
                        markup_text(command.before + "--budget " + plan.budget + command.after));
  }
  return text + "</tbody></table></div></details>\n";
}

}  // namespace

int uniform_bits(const Plan& plan) {
  const auto widest = std::max_element(plan.entries.begin(), plan.entries.end(),
                                       [](const auto& a, const auto& b) { return a.parameters < b.parameters; });
  return widest == plan.entries.end() ? 0 : widest->candidate.bits;
}

std::string frontier_card(const View& view) {
  if (view.frontier.size() < 2) return "";
  const Frame f = frame(view);
  std::string svg = fmt::format(
      "<svg class=\"chart\" role=\"img\" aria-label=\"Pareto frontier: bytes of the weights "
      "against predicted damage\" width=\"100%\" height=\"{}\">\n",
      coordinate(kHeight));
  svg += axes(f) + line(f, view.frontier, "frontier") + uniform_points(view, f) + points(view, f) + chosen(view, f);
  svg += "<circle id=\"picked\" class=\"picked\" r=\"11\" cx=\"0\" cy=\"0\" visibility=\"hidden\"/></svg>\n";
  return card("frontier", "Size against damage",
              "Every point is the plan of least predicted damage for its size. Choose one to see its widths and the "
              "command that makes it.",
              legend(view) + "<div class=\"still\">\n" + svg + "</div>\n" + what_if(view));
}

}  // namespace mpq::report::html
