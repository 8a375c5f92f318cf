#include <algorithm>

#include "graph/adjoint/window.h"

// Pools.

namespace mpq::graph::adjoint {

namespace {

std::string spread(RuleCall& c, const std::string& adjoint) {
  return c.b.emit("Expand", {adjoint, c.b.ints(joined({c.b.probes()}, c.xs()))});
}

void global_average_pool(RuleCall& c) {
  const double places = static_cast<double>(count_of(c.xs())) / static_cast<double>(c.xs()[0] * c.xs()[1]);
  c.give(0, spread(c, c.b.scaled(c.g(), 1 / places)));
}

void global_max_pool(RuleCall& c) { c.give(0, c.b.mul(c.g(), c.b.mask(c.b.emit("Equal", {c.x(), c.y()})))); }

/// Back to where the greatest element was: the optional output holds flat places over N, C and space.
void max_pool(RuleCall& c) {
  if (c.attribute("storage_order", std::int64_t{0}) != 0) throw NoRule("it numbers places by columns");
  const std::int64_t R = c.b.probes(), taken = count_of(c.ys()), all = count_of(c.xs());
  const std::string places = c.optional_output(1, "places");
  const std::string indices = c.b.emit("Expand", {c.b.reshape(places, {1, taken}), c.b.ints({R, taken})});
  const std::string sum = c.b.emit("ScatterElements", {c.b.zeros({R, all}), indices, c.b.reshape(c.g(), {R, taken})},
                                   {{"axis", std::int64_t{1}}, {"reduction", std::string("add")}});
  c.give(0, c.b.reshape_sample(sum, c.xs()));
}

/// How many elements each window averages over, along one axis.
std::vector<double> counts_along(const Window& w, std::size_t d, bool with_padding) {
  std::vector<double> counts;
  for (std::int64_t o = 0; o < w.output[d]; ++o) {
    double count = 0;
    for (std::int64_t k = 0; k < w.kernel[d]; ++k) {
      const std::int64_t place = o * w.strides[d] - w.pads_before[d] + k * w.dilations[d];
      const bool inside = place >= 0 && place < w.input[d];
      count += inside || (with_padding && place < w.input[d] + w.pads_after[d]) ? 1 : 0;
    }
    counts.push_back(count);
  }
  return counts;
}

/// 1 / (elements of the window), over the output's places; one number where all are equal.
std::string shares(Builder& b, const Window& w, bool with_padding) {
  std::vector<float> all{1};
  for (std::size_t d = 0; d < w.rank(); ++d) {
    const std::vector<double> counts = counts_along(w, d, with_padding);
    std::vector<float> next;
    for (const float share : all) {
      for (const double count : counts) next.push_back(share / static_cast<float>(std::max(count, 1.0)));
    }
    all = std::move(next);
  }
  if (std::all_of(all.begin(), all.end(), [&](float share) { return share == all[0]; })) return b.number(all[0]);
  return b.floats(all, w.output);
}

/// Windows that tile the input: every element gets its window's share.
bool tiles(const Window& w) {
  for (std::size_t d = 0; d < w.rank(); ++d) {
    if (w.strides[d] != w.kernel[d] || w.dilations[d] != 1 || w.pads_before[d] != 0 || w.pads_after[d] != 0 ||
        w.output[d] * w.kernel[d] > w.input[d])
      return false;
  }
  return true;
}

std::string spread_tiles(RuleCall& c, const Window& w, const std::string& share) {
  const Shape &xs = c.xs(), channels{c.b.probes(), xs[0], xs[1]};
  Shape one = channels, many = channels, merged = channels, none(xs.size(), 0), after(xs.size(), 0);
  for (std::size_t d = 0; d < w.rank(); ++d) {
    one.insert(one.end(), {w.output[d], 1});
    many.insert(many.end(), {w.output[d], w.kernel[d]});
    merged.push_back(w.output[d] * w.kernel[d]);
    after[d + 2] = w.input[d] - merged.back();
  }
  const std::string spread = c.b.emit("Expand", {c.b.reshape(share, one), c.b.ints(many)});
  return c.b.pad(c.b.reshape(spread, merged), none, after);
}

/// A depthwise convolution with ones, divided by the number of elements; channels join the batch.
void average_pool(RuleCall& c) {
  const Shape kernel = c.attribute("kernel_shape", Shape{});
  Window w = window_of(c, kernel, c.xs(), c.ys());
  const bool with_padding = c.attribute("count_include_pad", std::int64_t{0}) != 0;
  const std::string share = c.b.mul(c.g(), shares(c.b, w, with_padding));
  if (tiles(w)) return c.give(0, spread_tiles(c, w, share));
  w.group = 1;
  const Shape ones_shape = joined({1, 1}, kernel);
  const std::string ones = c.b.floats(std::vector<float>(static_cast<std::size_t>(count_of(kernel)), 1.0F), ones_shape);
  const std::int64_t count = c.b.probes() * c.ys()[0] * c.ys()[1];
  const std::string images = c.b.reshape(share, joined({count, 1}, w.output));
  c.give(0, c.b.reshape_sample(conv_input_adjoint(c.b, w, images, count, ones, ones_shape), c.xs()));
}

}  // namespace

void add_pool_rules(RuleTable& table) {
  table["GlobalAveragePool"] = global_average_pool;
  table["GlobalMaxPool"] = global_max_pool;
  table["MaxPool"] = max_pool;
  table["AveragePool"] = average_pool;
}

}  // namespace mpq::graph::adjoint
