#include <algorithm>

#include "graph/adjoint/rule.h"

// Operators that pick elements: what was picked gets its adjoint back, added up where it was picked repeatedly.

namespace mpq::graph::adjoint {

namespace {

std::int64_t product(const Shape& shape, std::size_t begin, std::size_t end) {
  std::int64_t result = 1;
  for (std::size_t axis = begin; axis < end; ++axis) result *= shape[axis];
  return result;
}

/// Adds the slices of `adjoint`, seen as [before, picked, after], to the places `indices` [picked, 1] of zeros
/// [before, extent, after]; returns it in that shape.
std::string scatter(Builder& b, const std::string& adjoint, const std::string& indices, const Shape& seen,
                    std::int64_t extent) {
  const std::string first = b.transpose(b.reshape(adjoint, seen), {1, 0, 2});
  const std::string sum =
      b.emit("ScatterND", {b.zeros({extent, seen[0], seen[2]}), indices, first}, {{"reduction", std::string("add")}});
  return b.transpose(sum, {1, 0, 2});
}

void gather(RuleCall& c) {
  c.only({0});
  const auto axis = static_cast<std::size_t>(c.axis(0, c.xs().size()));
  const Shape& xs = c.xs();
  const std::int64_t picked = count_of(c.xs(1));
  const Shape seen{c.b.probes() * product(xs, 0, axis), picked, product(xs, axis + 1, xs.size())};
  const std::string sum = scatter(c.b, c.g(), c.b.reshape(c.x(1), {picked, 1}), seen, xs[axis]);
  c.give(0, c.b.reshape_sample(sum, xs));
}

void gather_elements(RuleCall& c) {
  c.only({0});
  const std::int64_t axis = c.axis(0, c.xs().size());
  const Shape full = joined({c.b.probes()}, c.ys());
  const std::string indices = c.b.emit("Expand", {c.x(1), c.b.ints(full)});
  c.give(0, c.b.emit("ScatterElements", {c.b.zeros(joined({c.b.probes()}, c.xs())), indices, c.g()},
                     {{"axis", axis + 1}, {"reduction", std::string("add")}}));
}

struct Range {
  std::size_t axis = 0;
  std::int64_t start = 0, step = 1;
};

std::vector<Range> ranges_of(const RuleCall& c) {
  const Shape starts = c.ints(1);
  const Shape axes = c.has(3) ? c.ints(3) : Shape{};
  const Shape steps = c.has(4) ? c.ints(4) : Shape(starts.size(), 1);
  const auto rank = static_cast<std::int64_t>(c.xs().size());
  std::vector<Range> result;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    std::int64_t axis = axes.empty() ? static_cast<std::int64_t>(i) : axes[i];
    if (axis < 0) axis += rank;
    const std::int64_t extent = c.xs()[static_cast<std::size_t>(axis)];
    std::int64_t start = starts[i] < 0 ? starts[i] + extent : starts[i];
    start = std::clamp<std::int64_t>(start, 0, steps[i] < 0 ? extent - 1 : extent);
    result.push_back({static_cast<std::size_t>(axis), start, steps[i]});
  }
  return result;
}

/// Steps of 1 are zeros around the slice; other steps scatter, axis by axis.
void slice(RuleCall& c) {
  c.only({0});
  const Shape& xs = c.xs();
  Shape now = c.ys(), before(xs.size(), 0), after(xs.size(), 0);
  std::string adjoint = c.g();
  for (const Range& range : ranges_of(c)) {
    const std::size_t axis = range.axis;
    if (range.step == 1) {
      before[axis] = range.start;
      after[axis] = xs[axis] - range.start - now[axis];
      continue;
    }
    Shape places;
    for (std::int64_t i = 0; i < now[axis]; ++i) places.push_back(range.start + i * range.step);
    const Shape seen{c.b.probes() * product(now, 0, axis), now[axis], product(now, axis + 1, now.size())};
    adjoint = scatter(c.b, adjoint, c.b.reshape(c.b.ints(places), {now[axis], 1}), seen, xs[axis]);
    now[axis] = xs[axis];
    adjoint = c.b.reshape_sample(adjoint, now);
  }
  c.give(0, c.b.pad(adjoint, before, after));
}

/// The probe axis behind all others, so that operators that index the first axes serve all probes at once.
std::string probes_last(Builder& b, const std::string& adjoint, std::size_t rank) {
  Shape permutation;
  for (std::size_t axis = 1; axis <= rank; ++axis) permutation.push_back(static_cast<std::int64_t>(axis));
  permutation.push_back(0);
  return b.transpose(adjoint, permutation);
}

std::string probes_first(Builder& b, const std::string& value, std::size_t rank) {
  Shape permutation{static_cast<std::int64_t>(rank)};
  for (std::size_t axis = 0; axis < rank; ++axis) permutation.push_back(static_cast<std::int64_t>(axis));
  return b.transpose(value, permutation);
}

void gather_nd(RuleCall& c) {
  c.only({0});
  if (c.attribute("batch_dims", std::int64_t{0}) != 0) throw NoRule("it picks from each of a batch");
  const std::string zeros = c.b.zeros(joined(c.xs(), {c.b.probes()}));
  const std::string sum = c.b.emit("ScatterND", {zeros, c.x(1), probes_last(c.b, c.g(), c.ys().size())},
                                   {{"reduction", std::string("add")}});
  c.give(0, probes_first(c.b, sum, c.xs().size()));
}

/// Whether what is scattered is added to what is there, not put in its place.
bool adds(const RuleCall& c) {
  const std::string reduction = c.attribute("reduction", "none");
  if (reduction != "none" && reduction != "add") throw NoRule("its reduction is \"" + reduction + "\"");
  return reduction == "add";
}

/// What was overwritten gets nothing back; the updates get what their places have.
void scatter_nd(RuleCall& c) {
  c.only({0, 2});
  const std::string last = probes_last(c.b, c.g(), c.ys().size());
  if (c.wants(0)) {
    const std::string zeros = c.b.zeros(joined(c.xs(2), {c.b.probes()}));
    c.give(0, adds(c) ? c.g() : probes_first(c.b, c.b.emit("ScatterND", {last, c.x(1), zeros}), c.xs().size()));
  }
  if (c.wants(2)) c.give(2, probes_first(c.b, c.b.emit("GatherND", {last, c.x(1)}), c.xs(2).size()));
}

void scatter_elements(RuleCall& c) {
  c.only({0, 2});
  const std::int64_t axis = c.axis(0, c.xs().size());
  const Shape full = joined({c.b.probes()}, c.xs(2));
  const std::string indices = c.b.emit("Expand", {c.x(1), c.b.ints(full)});
  const Attributes along{{"axis", axis + 1}};
  if (c.wants(0)) c.give(0, adds(c) ? c.g() : c.b.emit("ScatterElements", {c.g(), indices, c.b.zeros(full)}, along));
  if (c.wants(2)) c.give(2, c.b.emit("GatherElements", {c.g(), indices}, along));
}

/// Turns back what it turned.
void reverse_sequence(RuleCall& c) {
  c.only({0});
  const std::size_t rank = c.xs().size();
  const std::string turned = c.b.emit("ReverseSequence", {probes_last(c.b, c.g(), rank), c.x(1)},
                                      {{"batch_axis", c.attribute("batch_axis", std::int64_t{1})},
                                       {"time_axis", c.attribute("time_axis", std::int64_t{0})}});
  c.give(0, probes_first(c.b, turned, rank));
}

/// The largest elements get their adjoints back.
void top_k(RuleCall& c) {
  c.only({0});
  const std::int64_t axis = c.axis(-1, c.xs().size());
  const std::string indices = c.b.emit("Expand", {c.y(1), c.b.ints(joined({c.b.probes()}, c.ys()))});
  c.give(0, c.b.emit("ScatterElements", {c.b.zeros(joined({c.b.probes()}, c.xs())), indices, c.g()},
                     {{"axis", axis + 1}}));
}

}  // namespace

void add_index_rules(RuleTable& table) {
  table["Gather"] = gather;
  table["GatherElements"] = gather_elements;
  table["GatherND"] = gather_nd;
  table["ReverseSequence"] = reverse_sequence;
  table["ScatterElements"] = scatter_elements;
  table["ScatterND"] = scatter_nd;
  table["Slice"] = slice;
  table["TopK"] = top_k;
}

}  // namespace mpq::graph::adjoint
