#include <algorithm>

#include "graph/adjoint/window.h"

// Convolutions. With x padded, y[co, p] = sum over ci, k of W[co, ci, k] x[ci, s p + d k]:
//   dL/dx = g convolved with the turned kernel,
//   dL/dW[co, ci, k] = sum over p of g[co, p] x[ci, s p + d k]: a convolution of x by g, strides and dilations
//   exchanged.

namespace mpq::graph::adjoint {

namespace {

Shape axes_from(std::int64_t first, std::size_t count) {
  Shape axes;
  for (std::size_t d = 0; d < count; ++d) axes.push_back(first + static_cast<std::int64_t>(d));
  return axes;
}

bool all_are(const Shape& values, std::int64_t value) {
  return std::all_of(values.begin(), values.end(), [&](std::int64_t v) { return v == value; });
}

/// One factor of the weight's adjoint: [P, N, G*C, extents...], P the probes of an adjoint and 1 of a forward value.
struct Factor {
  std::string value;
  std::int64_t probes = 1, batch = 1, channels = 1;  ///< channels per group
  Shape extents;
};

/// [P, N, G, C, e...] -> [P*C, G*N, e...]: channels become the batch, the batch is what is summed over.
std::string as_image(Builder& b, const Factor& f, std::int64_t group) {
  const Shape split = joined({f.probes, f.batch, group, f.channels}, f.extents);
  const Shape order = joined({0, 3, 2, 1}, axes_from(4, f.extents.size()));
  return b.reshape(b.transpose(b.reshape(f.value, split), order),
                   joined({f.probes * f.channels, group * f.batch}, f.extents));
}

/// [P, N, G, C, e...] -> [G*P*C, N, e...]
std::string as_kernel(Builder& b, const Factor& f, std::int64_t group) {
  const Shape split = joined({f.probes, f.batch, group, f.channels}, f.extents);
  const Shape order = joined({2, 0, 3, 1}, axes_from(4, f.extents.size()));
  return b.reshape(b.transpose(b.reshape(f.value, split), order),
                   joined({group * f.probes * f.channels, f.batch}, f.extents));
}

/// [image P, image C, G, kernel P, kernel C, k...], cropped to the kernel.
std::string correlate(Builder& b, const Window& w, const Factor& image, const Factor& kernel) {
  const std::size_t d = w.rank();
  std::string z = b.emit("Conv", {as_image(b, image, w.group), as_kernel(b, kernel, w.group)},
                         {{"kernel_shape", w.output},
                          {"pads", joined(w.pads_before, w.pads_after)},
                          {"strides", w.dilations},
                          {"dilations", w.strides},
                          {"group", w.group}});
  z = b.emit("Slice", {z, b.ints(Shape(d, 0)), b.ints(w.kernel), b.ints(axes_from(2, d))});
  return b.reshape(z, joined({image.probes, image.channels, w.group, kernel.probes, kernel.channels}, w.kernel));
}

/// 1x1, stride 1, one sample: dL/dW = g x', a plain product.
bool pointwise(const Window& w, std::int64_t batch) {
  return batch == 1 && w.group == 1 && all_are(w.kernel, 1) && all_are(w.strides, 1) && all_are(w.pads_before, 0) &&
         all_are(w.pads_after, 0);
}

std::string conv_weight_adjoint(RuleCall& c, const Window& w) {
  const Shape &ws = c.xs(1), &xs = c.xs(0);
  const std::int64_t Ci = ws[1], Co = ws[0] / w.group, places = count_of(w.output);
  Builder& b = c.b;
  if (pointwise(w, xs[0])) {
    const std::string x = b.transpose(b.reshape(c.x(0), {Ci, places}), {1, 0});
    return b.reshape_sample(b.emit("MatMul", {b.reshape_sample(c.g(), {Co, places}), x}), ws);
  }
  const Factor image{c.x(0), 1, xs[0], Ci, w.input};
  const Factor kernel{c.g(), b.probes(), xs[0], Co, w.output};
  // [1, Ci, G, R, Co, k...] -> [R, G, Co, Ci, k...]
  const std::string z = correlate(b, w, image, kernel);
  return b.reshape_sample(b.transpose(z, joined({3, 2, 4, 1, 0}, axes_from(5, w.rank()))), ws);
}

void conv(RuleCall& c) {
  const Shape& ws = c.xs(1);
  const Window w = window_of(c, Shape(ws.begin() + 2, ws.end()), c.xs(0), c.ys());
  const std::int64_t rows = c.b.probes() * c.ys()[0];
  if (c.wants(0)) {
    const std::string g = c.b.reshape(c.g(), joined({rows, c.ys()[1]}, w.output));
    c.give(0, c.b.reshape_sample(conv_input_adjoint(c.b, w, g, c.x(1), ws), c.xs(0)));
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
    const Factor image{c.g(), b.probes(), c.xs(0)[0], ws[1], w.input};
    const Factor kernel{c.x(0), 1, c.xs(0)[0], ws[0] / w.group, w.output};
    // [R, Co, G, 1, Ci, k...] -> [R, G, Ci, Co, k...]
    const std::string z = correlate(b, w, image, kernel);
    c.give(1, b.reshape_sample(b.transpose(z, joined({0, 2, 4, 1, 3}, axes_from(5, w.rank()))), ws));
  }
  if (c.wants(2)) c.give(2, b.sum(c.g(), joined({1}, axes_from(3, w.rank())), false));
}

}  // namespace

void add_conv_rules(RuleTable& table) {
  table["Conv"] = conv;
  table["ConvTranspose"] = conv_transpose;
}

}  // namespace mpq::graph::adjoint
