#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mpq::report::html {

// Charts have no view box: they are as wide as their place, horizontal positions are per cent and everything else is
// pixels, so that text keeps its size on every screen.

struct Tick {
  double value;
  std::string label;
};

/// Maps values to per cent of the width or of the height; linear without labels, else logarithmic.
class Axis {
 public:
  enum class Labels { kNone, kDecades, kBytes };
  Axis(double low, double high, Labels labels);
  /// From `from` to `to`, clamped; what is no number lies at `from`.
  double at(double value, double from = 0, double to = 100) const;
  const std::vector<Tick>& ticks() const { return ticks_; }
  double low() const { return low_; }
  double high() const { return high_; }

 private:
  double low_, high_;
  Labels labels_;
  std::vector<Tick> ticks_;
};

/// A logarithmic axis of whole decades that holds every positive value, cut to `decades` below the largest.
Axis damage_axis(const std::vector<double>& values, int decades = 8);
/// A logarithmic axis of byte counts, labelled in kB and MB.
Axis bytes_axis(double low, double high);

/// A number as an SVG coordinate: two decimals at most.
std::string coordinate(double value);
std::string percent_of(double value);

/// A line from top to bottom at `x` per cent with its label below, which leans inwards at the chart's edges.
std::string vertical_grid_line(double x, double height, const std::string& label);

/// <section class="card">: a heading, what there is to see, and the chart.
std::string card(const std::string& id, const std::string& heading, const std::string& lead, const std::string& body);

/// "b4": the class that colours a width.
std::string bits_class(int bits);
/// Names as they stand beside a chart: printable, short, and told from each other.
std::vector<std::string> chart_names(std::vector<std::string> names);
/// "0.0123 ± 0.001".
std::string with_error(double value, double error);

}  // namespace mpq::report::html
