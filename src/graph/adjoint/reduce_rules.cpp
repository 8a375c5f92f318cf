#include <algorithm>
#include <numeric>

#include "graph/adjoint/rule.h"

// Reductions: the adjoint of the result, spread over what was reduced.

namespace mpq::graph::adjoint {

namespace {

struct Reduction {
  Shape kept;                ///< the input's shape with the reduced axes of extent 1
  std::int64_t reduced = 1;  ///< elements per result
  std::string g, y;          ///< adjoint and result under that shape
};

Shape axes_of(const RuleCall& c) {
  if (c.has_attribute("axes")) return c.attribute("axes", Shape{});
  if (c.has(1)) return c.ints(1);
  return {};
}

Reduction reduction(RuleCall& c) {
  c.only({0});
  const auto rank = static_cast<std::int64_t>(c.xs().size());
  Shape axes = axes_of(c);
  if (axes.empty() && c.attribute("noop_with_empty_axes", std::int64_t{0}) == 0) {
    axes.resize(c.xs().size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  Reduction result;
  result.kept = c.xs();
  for (std::int64_t axis : axes) {
    std::int64_t& extent = result.kept[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)];
    result.reduced *= extent;
    extent = 1;
  }
  result.g = c.b.reshape_sample(c.g(), result.kept);
  result.y = c.b.reshape(c.y(), result.kept);
  return result;
}

std::string spread(RuleCall& c, const std::string& adjoint) {
  return c.b.emit("Expand", {adjoint, c.b.ints(joined({c.b.probes()}, c.xs()))});
}

void reduce_sum(RuleCall& c) { c.give(0, spread(c, reduction(c).g)); }

void reduce_mean(RuleCall& c) {
  const Reduction r = reduction(c);
  c.give(0, spread(c, c.b.scaled(r.g, 1.0 / static_cast<double>(r.reduced))));
}

void reduce_sum_square(RuleCall& c) { c.give(0, c.b.mul(reduction(c).g, c.b.scaled(c.x(), 2))); }

void reduce_l1(RuleCall& c) { c.give(0, c.b.mul(reduction(c).g, c.b.emit("Sign", {c.x()}))); }

/// g x / |x|, kept finite at 0.
void reduce_l2(RuleCall& c) {
  const Reduction r = reduction(c);
  c.give(0, c.b.mul(r.g, c.b.div(c.x(), c.b.emit("Max", {r.y, c.b.number(1e-12)}))));
}

/// To the greatest (least) element; to each of equal ones.
void reduce_extreme(RuleCall& c) {
  const Reduction r = reduction(c);
  c.give(0, c.b.mul(r.g, c.b.mask(c.b.emit("Equal", {c.x(), r.y}))));
}

/// g exp(x - y)
void reduce_log_sum_exp(RuleCall& c) {
  const Reduction r = reduction(c);
  c.give(0, c.b.mul(r.g, c.b.emit("Exp", {c.b.sub(c.x(), r.y)})));
}

/// y_i = sum of x_j, j <= i: the sum from the other end.
void cumulative_sum(RuleCall& c) {
  c.only({0});
  const Shape axis = c.ints(1);
  if (axis.size() != 1) throw NoRule("its axis is no single number");
  const std::int64_t positive = axis[0] < 0 ? axis[0] + static_cast<std::int64_t>(c.xs().size()) : axis[0];
  const std::int64_t reverse = c.attribute("reverse", std::int64_t{0});
  const std::string along = c.b.reshape(c.b.ints({positive + 1}), {});
  c.give(0, c.b.emit("CumSum", {c.g(), along},
                     {{"exclusive", c.attribute("exclusive", std::int64_t{0})}, {"reverse", 1 - reverse}}));
}

}  // namespace

void add_reduce_rules(RuleTable& table) {
  table["ReduceSum"] = reduce_sum;
  table["ReduceMean"] = reduce_mean;
  table["ReduceSumSquare"] = reduce_sum_square;
  table["ReduceL1"] = reduce_l1;
  table["ReduceL2"] = reduce_l2;
  table["ReduceMax"] = reduce_extreme;
  table["ReduceMin"] = reduce_extreme;
  table["ReduceLogSumExp"] = reduce_log_sum_exp;
  table["CumSum"] = cumulative_sum;
}

}  // namespace mpq::graph::adjoint
