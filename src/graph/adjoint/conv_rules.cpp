#include "graph/adjoint/correlation.h"

// Convolutions. With x padded, y[co, p] = sum over ci, k of W[co, ci, k] x[ci, s p + d k]:
//   dL/dx = g convolved with the turned kernel,
//   dL/dW[co, ci, k] = sum over p of g[co, p] x[ci, s p + d k]: a correlation of g with x.

namespace mpq::graph::adjoint {

namespace {

Shape axes_from(std::int64_t first, std::size_t count) {
  Shape axes;
  for (std::size_t d = 0; d < count; ++d) axes.push_back(first + static_cast<std::int64_t>(d));
  return axes;
}

std::string conv_weight_adjoint(RuleCall& c, const Window& w) {
  const Shape &ws = c.xs(1), &xs = c.xs(0);
  const Factor wide{c.x(0), 1, xs[0], ws[1], w.input};
  const Factor narrow{c.g(), c.b.probes(), xs[0], ws[0] / w.group, w.output};
  return correlation(c.b, w, wide, narrow);
}

void conv(RuleCall& c) {
  const Shape& ws = c.xs(1);
  const Window w = window_of(c, Shape(ws.begin() + 2, ws.end()), c.xs(0), c.ys());
  const std::int64_t rows = c.b.probes() * c.ys()[0];
  if (c.wants(0)) {
    const std::string g = c.b.reshape(c.g(), joined({rows, c.ys()[1]}, w.output));
    c.give(0, c.b.reshape_sample(conv_input_adjoint(c.b, w, g, rows, c.x(1), ws), c.xs(0)));
  }
  if (c.wants(1)) c.give(1, conv_weight_adjoint(c, w));
  if (c.wants(2)) c.give(2, c.b.sum(c.g(), joined({1}, axes_from(3, w.rank())), false));
}

/// A ConvTranspose is the input adjoint of a Conv that reads its output: x and g change places.
void conv_transpose(RuleCall& c) {
  const Shape& ws = c.xs(1);
  if (c.attribute("auto_pad", "NOTSET") != "NOTSET" || c.has_attribute("output_shape")) {
    throw NoRule("its padding follows from its output shape");
  }
  const Window w = window_of(c, Shape(ws.begin() + 2, ws.end()), c.ys(), c.xs(0));
  Builder& b = c.b;
  if (c.wants(0)) {
    const std::string g = b.reshape(c.g(), joined({b.probes() * c.ys()[0], c.ys()[1]}, w.input));
    c.give(0, b.reshape_sample(b.emit("Conv", {g, c.x(1)},
                                      {{"kernel_shape", w.kernel},
                                       {"strides", w.strides},
                                       {"dilations", w.dilations},
                                       {"pads", joined(w.pads_before, w.pads_after)},
                                       {"group", w.group}}),
                               c.xs(0)));
  }
  if (c.wants(1)) {
    const Factor wide{c.g(), b.probes(), c.xs(0)[0], ws[1], w.input};
    const Factor narrow{c.x(0), 1, c.xs(0)[0], ws[0] / w.group, w.output};
    c.give(1, correlation(b, w, wide, narrow));
  }
  if (c.wants(2)) c.give(2, b.sum(c.g(), joined({1}, axes_from(3, w.rank())), false));
}

}  // namespace

void add_conv_rules(RuleTable& table) {
  table["Conv"] = conv;
  table["ConvTranspose"] = conv_transpose;
}

}  // namespace mpq::graph::adjoint
