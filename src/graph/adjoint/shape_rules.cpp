#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "graph/adjoint/rule.h"

// Operators that move elements about without computing: the adjoint moves them back.

namespace mpq::graph::adjoint {

namespace {

void reshape(RuleCall& c) { c.give(0, c.b.reshape_sample(c.g(), c.xs())); }

/// The inverse permutation, behind the probe axis.
void transpose(RuleCall& c) {
  const std::size_t rank = c.ys().size();
  Shape reversed;
  for (std::size_t axis = rank; axis-- > 0;) reversed.push_back(static_cast<std::int64_t>(axis));
  const Shape permutation = c.attribute("perm", reversed);
  Shape inverse(rank + 1, 0);
  for (std::size_t axis = 0; axis < rank; ++axis) {
    inverse[static_cast<std::size_t>(permutation[axis]) + 1] = static_cast<std::int64_t>(axis) + 1;
  }
  c.give(0, c.b.transpose(c.g(), inverse));
}

void expand(RuleCall& c) { c.give_unbroadcast(0, c.g()); }

/// Tile repeats: [r1 x1, ...] seen as [r1, x1, ...], summed over the repeats.
void tile(RuleCall& c) {
  Shape split{c.b.probes()}, repeats;
  for (std::size_t axis = 0; axis < c.xs().size(); ++axis) {
    split.push_back(c.xs()[axis] == 0 ? 0 : c.ys()[axis] / c.xs()[axis]);
    split.push_back(c.xs()[axis]);
    repeats.push_back(static_cast<std::int64_t>(2 * axis + 1));
  }
  c.give(0, c.b.sum(c.b.reshape(c.g(), split), repeats, false));
}

void concat(RuleCall& c) {
  const std::int64_t axis = c.axis(0, c.ys().size());
  std::int64_t begin = 0;
  for (int i = 0; i < c.node.input_size(); ++i) {
    const std::int64_t end = begin + c.xs(i)[static_cast<std::size_t>(axis)];
    if (c.wants(i)) c.give(i, c.b.slice(c.g(), begin, end, axis + 1));
    begin = end;
  }
}

/// The pieces joined again; a piece nobody reads counts as zeros.
void split(RuleCall& c) {
  const std::int64_t axis = c.axis(0, c.xs().size());
  std::vector<std::string> pieces;
  for (int k = 0; k < c.node.output_size(); ++k) {
    const std::string& arrived = c.adjoints[static_cast<std::size_t>(k)];
    pieces.push_back(arrived.empty() ? c.b.zeros(joined({c.b.probes()}, c.ys(k))) : arrived);
  }
  c.give(0, c.b.emit("Concat", pieces, {{"axis", axis + 1}}));
}

/// Elements put in front of and behind one axis; negative: cut off.
struct Border {
  std::int64_t low = 0, high = 0;
};

/// The borders of a Pad, per axis.
std::vector<Border> borders(const RuleCall& c) {
  const std::size_t rank = c.xs().size();
  const Shape pads = c.ints(1);
  Shape axes(rank);
  std::iota(axes.begin(), axes.end(), std::int64_t{0});
  if (c.has(3)) axes = c.ints(3);
  std::vector<Border> result(rank);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t axis = axes[i] < 0 ? axes[i] + static_cast<std::int64_t>(rank) : axes[i];
    result.at(static_cast<std::size_t>(axis)) = {pads[i], pads[axes.size() + i]};
  }
  return result;
}

/// Zeros around x: the part inside. Negative pads cut off: zeros there.
std::string without_zeros(RuleCall& c, const std::vector<Border>& borders) {
  std::string adjoint = c.g();
  Shape before, after;
  for (std::size_t axis = 0; axis < borders.size(); ++axis) {
    const std::int64_t begin = std::max<std::int64_t>(borders[axis].low, 0);
    const std::int64_t end = c.ys()[axis] - std::max<std::int64_t>(borders[axis].high, 0);
    if (begin != 0 || end != c.ys()[axis]) {
      adjoint = c.b.slice(adjoint, begin, end, static_cast<std::int64_t>(axis) + 1);
    }
    before.push_back(std::max<std::int64_t>(-borders[axis].low, 0));
    after.push_back(std::max<std::int64_t>(-borders[axis].high, 0));
  }
  return c.b.pad(adjoint, before, after);
}

/// A border of one axis repeats elements of x: its adjoint in their order, and the first of them.
struct Repeated {
  std::string adjoint;
  std::int64_t first = 0, count = 0;
};

/// y[begin, begin + count) of an axis on which x begins at `low` and has n elements.
Repeated repeated(RuleCall& c, const std::string& g, const std::string& mode, std::int64_t axis, std::int64_t begin,
                  std::int64_t count, std::int64_t low, std::int64_t n) {
  const std::string piece = c.b.slice(g, begin, begin + count, axis + 1);
  const bool front = begin < low;
  if (mode == "edge") return {c.b.sum(piece, {axis + 1}, true), front ? 0 : n - 1, 1};
  if (mode == "wrap") return {piece, front ? n - count : 0, count};
  const std::string turned =
      c.b.emit("Slice", {piece, c.b.ints({-1}), c.b.ints({-count - 1}), c.b.ints({axis + 1}), c.b.ints({-1})});
  return {turned, front ? 1 : n - 1 - count, count};
}

/// Padding by elements of x, axis by axis: the part inside, and to it what the borders repeat of it.
std::string folded(RuleCall& c, const std::string& mode, const std::vector<Border>& borders) {
  std::string adjoint = c.g();
  for (std::size_t place = 0; place < borders.size(); ++place) {
    const auto [low, high] = borders[place];
    if (low == 0 && high == 0) continue;
    const std::int64_t axis = static_cast<std::int64_t>(place), n = c.xs()[place];
    const std::int64_t most = mode == "reflect" ? n - 1 : mode == "wrap" ? n : std::numeric_limits<std::int64_t>::max();
    if (low < 0 || high < 0 || std::max(low, high) > most) throw NoRule("its pads are negative or beyond its input");
    const std::string padded = adjoint;
    adjoint = c.b.slice(padded, low, low + n, axis + 1);
    for (const auto& [begin, count] : {std::pair{std::int64_t{0}, low}, std::pair{low + n, high}}) {
      if (count == 0) continue;
      const Repeated border = repeated(c, padded, mode, axis, begin, count, low, n);
      Shape before(borders.size(), 0), after(borders.size(), 0);
      before[place] = border.first;
      after[place] = n - border.first - border.count;
      adjoint = c.b.add(adjoint, c.b.pad(border.adjoint, before, after));
    }
  }
  return adjoint;
}

void pad(RuleCall& c) {
  c.only({0});
  const std::string mode = c.attribute("mode", "constant");
  c.give(0, mode == "constant" ? without_zeros(c, borders(c)) : folded(c, mode, borders(c)));
}

/// SpaceToDepth and the "DCR" form of DepthToSpace undo each other; the probe axis joins the batch.
std::string exchanged(RuleCall& c, const char* inverse) {
  Shape batched = c.ys();
  batched[0] *= c.b.probes();
  return c.b.emit(inverse, {c.b.reshape(c.g(), batched)}, {{"blocksize", c.attribute("blocksize", std::int64_t{1})}});
}
void space_to_depth(RuleCall& c) { c.give(0, c.b.reshape_sample(exchanged(c, "DepthToSpace"), c.xs())); }

/// The "CRD" form moves [n, c, b, b, h, w] to [n, c, h, b, w, b]; the probe axis joins the batch there too.
void depth_to_space(RuleCall& c) {
  if (c.attribute("mode", "DCR") == "DCR") return c.give(0, c.b.reshape_sample(exchanged(c, "SpaceToDepth"), c.xs()));
  const std::int64_t block = c.attribute("blocksize", std::int64_t{1});
  const Shape& xs = c.xs();
  const Shape seen{c.b.probes() * xs[0], xs[1] / (block * block), xs[2], block, xs[3], block};
  c.give(0, c.b.reshape_sample(c.b.transpose(c.b.reshape(c.g(), seen), {0, 1, 3, 5, 2, 4}), xs));
}

/// Zeros where the forward had them.
void trilu(RuleCall& c) {
  c.only({0});
  std::vector<std::string> inputs{c.g()};
  if (c.has(1)) inputs.push_back(c.x(1));
  c.give(0, c.b.emit("Trilu", inputs, {{"upper", c.attribute("upper", std::int64_t{1})}}));
}

}  // namespace

void add_shape_rules(RuleTable& table) {
  for (const char* op : {"Reshape", "Flatten", "Squeeze", "Unsqueeze"}) table[op] = reshape;
  table["Transpose"] = transpose;
  table["Expand"] = expand;
  table["Tile"] = tile;
  table["Concat"] = concat;
  table["Split"] = split;
  table["Pad"] = pad;
  table["DepthToSpace"] = depth_to_space;
  table["SpaceToDepth"] = space_to_depth;
  table["Trilu"] = trilu;
}

}  // namespace mpq::graph::adjoint
