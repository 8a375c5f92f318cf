#include "report/html/svg.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "mpq/text.h"

#include "report/markup.h"
#include "report/numbers.h"
#include "support/text.h"

namespace mpq::report::html {
namespace {

std::string power_label(int exponent) {
  if (exponent >= -2 && exponent <= 3) return fmt::format("{:g}", std::pow(10.0, exponent));
  return fmt::format("1e{}", exponent);
}

std::string bytes_label(double bytes) {
  if (bytes >= 1e9) return fmt::format("{:g} GB", bytes / 1e9);
  if (bytes >= 1e6) return fmt::format("{:g} MB", bytes / 1e6);
  if (bytes >= 1e3) return fmt::format("{:g} kB", bytes / 1e3);
  return fmt::format("{:g} B", bytes);
}

}  // namespace

Axis::Axis(double low, double high, Labels labels) : low_(low), high_(high), labels_(labels) {
  if (labels_ == Labels::kNone) return;
  const int first = static_cast<int>(std::floor(std::log10(low_) - 1e-9));
  const int last = static_cast<int>(std::floor(std::log10(high_) + 1e-9));
  const bool bytes = labels_ == Labels::kBytes;
  for (int exponent = first; exponent <= last; ++exponent) {
    for (const double step : {1.0, 2.0, 5.0}) {
      if (step > 1 && !bytes) break;
      const double value = step * std::pow(10.0, exponent);
      if (value < low_ * (1 - 1e-9) || value > high_ * (1 + 1e-9)) continue;
      ticks_.push_back({value, bytes ? bytes_label(value) : power_label(exponent)});
    }
  }
}

double Axis::at(double value, double from, double to) const {
  if (std::isnan(value)) return from;
  const auto map = [&](double v) { return labels_ == Labels::kNone ? v : std::log(std::max(v, low_)); };
  const double range = map(high_) - map(low_);
  const double fraction = range > 0 ? (map(value) - map(low_)) / range : 0.5;
  return from + (to - from) * std::clamp(fraction, 0.0, 1.0);
}

Axis damage_axis(const std::vector<double>& values, int decades) {
  double low = 0, high = 0;
  for (const double value : values) {
    if (!(value > 0) || !std::isfinite(value)) continue;
    high = std::max(high, value);
    low = low == 0 ? value : std::min(low, value);
  }
  if (high <= 0) return {0.1, 1, Axis::Labels::kDecades};
  const double top = std::ceil(std::log10(high) - 1e-9);
  const double bottom = std::max(std::floor(std::log10(low) + 1e-9), top - decades);
  return {std::pow(10.0, std::min(bottom, top - 1)), std::pow(10.0, top), Axis::Labels::kDecades};
}

Axis bytes_axis(double low, double high) { return {low, std::max(high, low * 1.01), Axis::Labels::kBytes}; }

std::string coordinate(double value) {
  std::string text = fmt::format("{:.2f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string percent_of(double value) { return coordinate(value) + '%'; }

std::string card(const std::string& id, const std::string& heading, const std::string& lead, const std::string& body) {
  return fmt::format("<section class=\"card\" id=\"{}\">\n<h2>{}</h2>\n<p class=\"lead\">{}</p>\n{}</section>\n", id,
                     heading, lead, body);
}

std::string bits_class(int bits) { return "b" + std::to_string(bits); }

std::vector<std::string> chart_names(std::vector<std::string> names) {
  constexpr std::size_t kCells = 28;
  for (std::string& name : names) name = printable(name);
  return shorten_names(names, kCells, "…");
}

std::string with_error(double value, double error) {
  return error > 0 ? short_number(value) + " ± " + short_error(error) : short_number(value);
}

std::string vertical_grid_line(double x, double height, const std::string& label) {
  const char* lean = x < 5 ? "" : x > 95 ? "end" : "mid";
  return fmt::format(
      "<line class=\"grid\" x1=\"{0}\" x2=\"{0}\" y1=\"0\" y2=\"{1}\"/><text class=\"tick {3}\" "
      "x=\"{0}\" y=\"{2}\">{4}</text>\n",
      percent_of(x), coordinate(height), coordinate(height + 16), lean, label);
}

}  // namespace mpq::report::html
