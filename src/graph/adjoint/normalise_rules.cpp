#include <algorithm>

#include "graph/adjoint/rule.h"

// Normalisations and softmax.

namespace mpq::graph::adjoint {

namespace {

Shape axes_between(std::size_t begin, std::size_t end) {
  Shape axes;
  for (std::size_t axis = begin; axis < end; ++axis) axes.push_back(static_cast<std::int64_t>(axis));
  return axes;
}

/// y (g - sum g y)
void softmax(RuleCall& c) {
  const std::int64_t axis = c.axis(-1, c.ys().size());
  const std::string gy = c.b.mul(c.g(), c.y());
  c.give(0, c.b.sub(gy, c.b.mul(c.b.sum(gy, {axis + 1}, true), c.y())));
}

/// g - exp(y) sum g
void log_softmax(RuleCall& c) {
  const std::int64_t axis = c.axis(-1, c.ys().size());
  c.give(0, c.b.sub(c.g(), c.b.mul(c.b.sum(c.g(), {axis + 1}, true), c.b.emit("Exp", {c.y()}))));
}

/// inv (h - mean h - n mean(h n)), with h the adjoint of the normalised value n and inv its inverse deviation.
/// Means over per-sample `axes` of `count` elements.
std::string through_normalisation(Builder& b, const std::string& h, const std::string& n, const std::string& inv,
                                  Shape axes, std::int64_t count) {
  for (std::int64_t& axis : axes) ++axis;
  const double share = 1.0 / static_cast<double>(count);
  const std::string mean = b.scaled(b.sum(h, axes, true), share);
  const std::string slope = b.scaled(b.sum(b.mul(h, n), axes, true), share);
  return b.mul(b.sub(b.sub(h, mean), b.mul(slope, n)), inv);
}

/// The forward node offers mean and inverse deviation as outputs.
void layer_normalization(RuleCall& c) {
  const std::size_t rank = c.xs().size();
  const auto axis = static_cast<std::size_t>(c.axis(-1, rank));
  const std::string mean = c.optional_output(1, "mean"), inv = c.optional_output(2, "inverse");
  const std::string n = c.b.mul(c.b.sub(c.x(0), mean), inv);
  if (c.wants(0)) {
    const std::int64_t count = count_of(Shape(c.xs().begin() + static_cast<std::ptrdiff_t>(axis), c.xs().end()));
    const std::string h = c.b.mul(c.g(), c.x(1));
    c.give(0, through_normalisation(c.b, h, n, inv, axes_between(axis, rank), count));
  }
  if (c.wants(1)) c.give_unbroadcast(1, c.b.mul(c.g(), n));
  if (c.wants(2)) c.give_unbroadcast(2, c.g());
}

/// Per channel, at inference: y = (x - mean) scale / sqrt(var + epsilon) + bias.
void batch_normalization(RuleCall& c) {
  c.only({0, 1, 2});
  if (c.attribute("training_mode", std::int64_t{0}) != 0) throw NoRule("it is in training mode");
  const std::size_t rank = c.xs().size();
  Shape channel(rank - 1, 1);
  channel[0] = c.xs()[1];
  const std::string deviation = c.b.emit("Sqrt", {c.b.add(c.x(4), c.b.number(c.attribute("epsilon", 1e-5F)))});
  const auto per_channel = [&](const std::string& value) { return c.b.reshape(value, channel); };
  if (c.wants(0)) c.give(0, c.b.mul(c.g(), per_channel(c.b.div(c.x(1), deviation))));
  const Shape others = joined({1}, axes_between(3, rank + 1));
  if (c.wants(1)) {
    const std::string n = c.b.div(c.b.sub(c.x(0), per_channel(c.x(3))), per_channel(deviation));
    c.give(1, c.b.sum(c.b.mul(c.g(), n), others, false));
  }
  if (c.wants(2)) c.give(2, c.b.sum(c.g(), others, false));
}

/// Per sample and channel, over space; mean and deviation are computed again.
void instance_normalization(RuleCall& c) {
  const std::size_t rank = c.xs().size();
  const Shape space = axes_between(2, rank);
  const std::int64_t count = count_of(Shape(c.xs().begin() + 2, c.xs().end()));
  const double share = 1.0 / static_cast<double>(count);
  Shape channel(rank - 1, 1);
  channel[0] = c.xs()[1];
  const std::string centred = c.b.sub(c.x(0), c.b.scaled(c.b.sum(c.x(0), space, true), share));
  const std::string variance = c.b.scaled(c.b.sum(c.b.mul(centred, centred), space, true), share);
  const std::string inv =
      c.b.emit("Reciprocal", {c.b.emit("Sqrt", {c.b.add(variance, c.b.number(c.attribute("epsilon", 1e-5F)))})});
  const std::string n = c.b.mul(centred, inv);
  const Shape others = joined({1}, axes_between(3, rank + 1));
  if (c.wants(0)) {
    const std::string h = c.b.mul(c.g(), c.b.reshape(c.x(1), channel));
    c.give(0, through_normalisation(c.b, h, n, inv, space, count));
  }
  if (c.wants(1)) c.give(1, c.b.sum(c.b.mul(c.g(), n), others, false));
  if (c.wants(2)) c.give(2, c.b.sum(c.g(), others, false));
}

/// 1 where a channel stands in the window of another: [C, C], symmetric, since ONNX Runtime takes odd sizes only.
std::vector<float> windows(std::int64_t channels, std::int64_t size) {
  std::vector<float> result(static_cast<std::size_t>(channels * channels), 0);
  for (std::int64_t c = 0; c < channels; ++c) {
    const std::int64_t first = std::max<std::int64_t>(c - (size - 1) / 2, 0);
    const std::int64_t last = std::min(c + size / 2, channels - 1);
    for (std::int64_t k = first; k <= last; ++k) result[static_cast<std::size_t>(c * channels + k)] = 1;
  }
  return result;
}

/// y = x d^-beta with d = bias + alpha / size * W x^2, W = W' the sum over a window of channels:
/// g d^-beta - 2 alpha beta / size * x * W (g x d^(-beta-1)).
void lrn(RuleCall& c) {
  const std::int64_t channels = c.xs()[1], size = c.attribute("size", std::int64_t{1});
  const double beta = static_cast<double>(c.attribute("beta", 0.75F));
  const double share = static_cast<double>(c.attribute("alpha", 1e-4F)) / static_cast<double>(size);
  const std::vector<float> window = windows(channels, size);
  const std::string sums = c.b.map_axis(c.b.mul(c.x(), c.x()), c.xs(), 1, window, channels);
  const std::string d = c.b.add(c.b.scaled(sums, share), c.b.number(static_cast<double>(c.attribute("bias", 1.0F))));
  const std::string direct = c.b.mul(c.g(), c.b.emit("Pow", {d, c.b.number(-beta)}));
  const std::string inner = c.b.div(c.b.mul(direct, c.x()), d);
  const std::string back = c.b.map_axis(inner, joined({c.b.probes()}, c.xs()), 2, window, channels);
  c.give(0, c.b.sub(direct, c.b.scaled(c.b.mul(c.x(), back), 2 * share * beta)));
}

/// Over the Euclidean norm n: (g - y sum g y) / n.
void lp_normalization(RuleCall& c) {
  if (c.attribute("p", std::int64_t{2}) != 2) throw NoRule("its norm is not the Euclidean one");
  const std::int64_t axis = c.axis(-1, c.xs().size());
  const std::string norm = c.b.emit("Sqrt", {c.b.sum(c.b.mul(c.x(), c.x()), {axis}, true)});
  const std::string along = c.b.sum(c.b.mul(c.g(), c.y()), {axis + 1}, true);
  c.give(0, c.b.div(c.b.sub(c.g(), c.b.mul(c.y(), along)), norm));
}

}  // namespace

void add_normalise_rules(RuleTable& table) {
  table["Softmax"] = softmax;
  table["LogSoftmax"] = log_softmax;
  table["LayerNormalization"] = layer_normalization;
  table["BatchNormalization"] = batch_normalization;
  table["InstanceNormalization"] = instance_normalization;
  table["LRN"] = lrn;
  table["LpNormalization"] = lp_normalization;
}

}  // namespace mpq::graph::adjoint
