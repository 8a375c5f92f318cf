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

/// Constant padding: the part inside. Negative pads cut off: zeros there.
void pad(RuleCall& c) {
  c.only({0});
  if (c.attribute("mode", "constant") != "constant") throw NoRule("its mode is not \"constant\"");
  if (c.has(3)) throw NoRule("it pads chosen axes");
  const Shape pads = c.ints(1);
  std::string adjoint = c.g();
  const std::size_t rank = c.xs().size();
  Shape before(rank, 0), after(rank, 0);
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const std::int64_t low = pads[axis], high = pads[rank + axis];
    const std::int64_t begin = low > 0 ? low : 0, end = c.ys()[axis] - (high > 0 ? high : 0);
    if (begin != 0 || end != c.ys()[axis]) {
      adjoint = c.b.slice(adjoint, begin, end, static_cast<std::int64_t>(axis) + 1);
    }
    before[axis] = low < 0 ? -low : 0;
    after[axis] = high < 0 ? -high : 0;
  }
  c.give(0, c.b.pad(adjoint, before, after));
}

/// SpaceToDepth and the "DCR" form of DepthToSpace undo each other; the probe axis joins the batch.
void exchange(RuleCall& c, const char* inverse) {
  if (c.attribute("mode", "DCR") != "DCR") throw NoRule("its mode is not \"DCR\"");
  Shape batched = c.ys();
  batched[0] *= c.b.probes();
  const std::string back =
      c.b.emit(inverse, {c.b.reshape(c.g(), batched)}, {{"blocksize", c.attribute("blocksize", std::int64_t{1})}});
  c.give(0, c.b.reshape_sample(back, c.xs()));
}
void depth_to_space(RuleCall& c) { exchange(c, "SpaceToDepth"); }
void space_to_depth(RuleCall& c) { exchange(c, "DepthToSpace"); }

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
}

}  // namespace mpq::graph::adjoint
