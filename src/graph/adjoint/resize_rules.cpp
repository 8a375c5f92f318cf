#include <algorithm>
#include <cmath>

#include "graph/adjoint/rule.h"

// Resize is linear and works axis by axis: y = M x along each axis, so dL/dx = M' g (ONNX, operator Resize).

namespace mpq::graph::adjoint {

namespace {

struct Axis {
  std::int64_t from = 1, to = 1;
  double scale = 1;
};

/// Where the output's place o lies in the input.
double source(const RuleCall& c, const Axis& a, std::int64_t o) {
  const std::string mode = c.attribute("coordinate_transformation_mode", "half_pixel");
  const auto x = static_cast<double>(o);
  if (mode == "asymmetric") return x / a.scale;
  if (mode == "align_corners") {
    return a.to == 1 ? 0 : x * static_cast<double>(a.from - 1) / static_cast<double>(a.to - 1);
  }
  if (mode == "pytorch_half_pixel" && a.to == 1) return 0;
  if (mode != "half_pixel" && mode != "pytorch_half_pixel") throw NoRule("its mode \"" + mode + "\" has none");
  return (x + 0.5) / a.scale - 0.5;
}

double nearest(const RuleCall& c, double place) {
  const std::string mode = c.attribute("nearest_mode", "round_prefer_floor");
  if (mode == "floor") return std::floor(place);
  if (mode == "ceil") return std::ceil(place);
  if (mode == "round_prefer_ceil") return std::floor(place + 0.5);
  return std::ceil(place - 0.5);
}

/// M', [from, to].
std::vector<float> matrix(const RuleCall& c, const Axis& a) {
  const std::string mode = c.attribute("mode", "nearest");
  std::vector<float> m(static_cast<std::size_t>(a.from * a.to), 0.0F);
  const auto add = [&](double from, std::int64_t to, double weight) {
    const auto row = static_cast<std::int64_t>(std::clamp(from, 0.0, static_cast<double>(a.from - 1)));
    m[static_cast<std::size_t>(row * a.to + to)] += static_cast<float>(weight);
  };
  for (std::int64_t o = 0; o < a.to; ++o) {
    const double place = source(c, a, o);
    if (mode == "nearest") {
      add(nearest(c, place), o, 1);
    } else if (mode == "linear") {
      const double low = std::floor(place);
      add(low, o, 1 - (place - low));
      add(low + 1, o, place - low);
    } else {
      throw NoRule("its mode \"" + mode + "\" has none");
    }
  }
  return m;
}

/// The node's own scales where they are known (they may round differently from the ratio of the extents).
std::vector<double> scales_of(const RuleCall& c, const Shape& xs, const Shape& ys) {
  if (c.has_attribute("axes")) throw NoRule("it resizes chosen axes");
  if (c.has(2)) {
    const std::vector<double> scales = c.numbers(2);
    if (scales.size() == xs.size()) return scales;
  }
  std::vector<double> scales;
  for (std::size_t d = 0; d < xs.size(); ++d) {
    scales.push_back(static_cast<double>(ys[d]) / static_cast<double>(xs[d]));
  }
  return scales;
}

void resize(RuleCall& c) {
  c.only({0});
  if (c.attribute("antialias", std::int64_t{0}) != 0) throw NoRule("it smooths");
  const Shape& xs = c.xs();
  Shape now = c.ys();
  const std::vector<double> scales = scales_of(c, xs, now);
  std::string g = c.g();
  for (std::size_t d = 0; d < xs.size(); ++d) {
    if (now[d] == xs[d] && scales[d] == 1) continue;
    const Axis axis{xs[d], now[d], scales[d]};
    g = c.b.map_axis(g, joined({c.b.probes()}, now), d + 1, matrix(c, axis), axis.from);
    now[d] = xs[d];
  }
  c.give(0, g);
}

}  // namespace

void add_resize_rules(RuleTable& table) { table["Resize"] = resize; }

}  // namespace mpq::graph::adjoint
