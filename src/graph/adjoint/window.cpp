#include "graph/adjoint/window.h"

#include <algorithm>

namespace mpq::graph::adjoint {

namespace {

constexpr std::int64_t kToTheEnd = -(std::int64_t{1} << 40);  // before every index: Slice goes on to the first element

Shape axes_from(std::int64_t first, std::size_t count) {
  Shape axes;
  for (std::size_t d = 0; d < count; ++d) axes.push_back(first + static_cast<std::int64_t>(d));
  return axes;
}

/// [G*Co, Ci, k...] with its in- and output channels exchanged and every spatial axis turned round: [G*Ci, Co, k...].
/// Of a weight that is constant, so the runtime folds it when it loads the graph.
std::string turned_kernel(Builder& b, const Window& w, const std::string& weight, const Shape& shape) {
  const std::size_t d = w.rank();
  const std::int64_t Co = shape[0] / w.group, Ci = shape[1];
  Shape permutation = joined({0, 2, 1}, axes_from(3, d));
  std::string turned = b.reshape(weight, joined({w.group, Co, Ci}, w.kernel));
  turned = b.reshape(b.transpose(turned, permutation), joined({w.group * Ci, Co}, w.kernel));
  return b.emit("Slice", {turned, b.ints(Shape(d, -1)), b.ints(Shape(d, kToTheEnd)), b.ints(axes_from(2, d)),
                          b.ints(Shape(d, -1))});
}

/// What g looks like to a convolution of stride 1 with the turned kernel, along axis d: its elements `stride` apart, the
/// first `before` places in, in `total` places.
struct Placement {
  std::int64_t before = 0, total = 0;
};

Placement placement(const Window& w, std::size_t d) {
  return {w.reach(d) - 1 - w.pads_before[d], w.input[d] + w.reach(d) - 1};
}

/// Spreads g along axis d by a product with zeros and ones; scattering and interleaved padding are several times slower.
std::string placed(Builder& b, const Window& w, const std::string& g, const Shape& shape, std::size_t d) {
  const Placement place = placement(w, d);
  std::vector<float> matrix(static_cast<std::size_t>(place.total * w.output[d]), 0.0F);
  for (std::int64_t o = 0; o < w.output[d]; ++o) {
    const std::int64_t at = place.before + o * w.strides[d];
    if (at >= 0 && at < place.total) matrix[static_cast<std::size_t>(at * w.output[d] + o)] = 1;
  }
  return b.map_axis(g, shape, d + 2, matrix, place.total);
}

/// An ordinary convolution with the turned kernel: much faster than ConvTranspose where strides are 1, and where each
/// channel stands alone.
std::string by_convolution(Builder& b, const Window& w, std::string g, Shape shape, const std::string& weight,
                           const Shape& weight_shape) {
  const std::size_t d = w.rank();
  Shape before(d, 0), after(d, 0), begins(d, 0), ends(d);
  bool cropped = false;  // negative pads are illegal: crop first
  for (std::size_t i = 0; i < d; ++i) {
    const Placement place = placement(w, i);
    if (w.strides[i] != 1) {
      g = placed(b, w, g, shape, i);
      shape[i + 2] = ends[i] = place.total;
      continue;
    }
    const std::int64_t low = place.before, high = place.total - low - w.output[i];
    begins[i] = std::max<std::int64_t>(-low, 0);
    ends[i] = w.output[i] - std::max<std::int64_t>(-high, 0);
    cropped = cropped || low < 0 || high < 0;
    before[i] = std::max<std::int64_t>(low, 0);
    after[i] = std::max<std::int64_t>(high, 0);
  }
  if (cropped) g = b.emit("Slice", {g, b.ints(begins), b.ints(ends), b.ints(axes_from(2, d))});
  return b.emit("Conv", {g, turned_kernel(b, w, weight, weight_shape)},
                {{"kernel_shape", w.kernel},
                 {"pads", joined(before, after)},
                 {"dilations", w.dilations},
                 {"group", w.group},
                 {"strides", Shape(d, 1)}});
}

/// output_padding must stay below the stride; what is more is taken off the padding at the end.
std::string by_transposed_convolution(Builder& b, const Window& w, const std::string& g, const std::string& weight) {
  const std::size_t d = w.rank();
  Shape after(d), extra(d);
  for (std::size_t i = 0; i < d; ++i) {
    const std::int64_t covered = w.strides[i] * (w.output[i] - 1) + w.reach(i) - w.pads_before[i] - w.pads_after[i];
    const std::int64_t missing = w.input[i] - covered;
    extra[i] = std::clamp<std::int64_t>(missing, 0, w.strides[i] - 1);
    after[i] = w.pads_after[i] - (missing - extra[i]);
    if (after[i] < 0) throw NoRule("its strides leave inputs unread that no transposed convolution reaches");
  }
  return b.emit("ConvTranspose", {g, weight},
                {{"kernel_shape", w.kernel},
                 {"strides", w.strides},
                 {"dilations", w.dilations},
                 {"pads", joined(w.pads_before, after)},
                 {"group", w.group},
                 {"output_padding", extra}});
}

}  // namespace

Window window_of(const RuleCall& c, const Shape& kernel, const Shape& wide, const Shape& narrow) {
  Window w;
  w.kernel = kernel;
  const std::size_t d = kernel.size();
  w.strides = c.attribute("strides", Shape(d, 1));
  w.dilations = c.attribute("dilations", Shape(d, 1));
  w.group = c.attribute("group", std::int64_t{1});
  w.input = Shape(wide.begin() + 2, wide.end());
  w.output = Shape(narrow.begin() + 2, narrow.end());
  const Shape pads = c.attribute("pads", Shape(2 * d, 0));
  w.pads_before = Shape(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(d));
  w.pads_after = Shape(pads.begin() + static_cast<std::ptrdiff_t>(d), pads.end());
  const std::string automatic = c.attribute("auto_pad", "NOTSET");
  if (automatic == "NOTSET" || automatic == "VALID") return w;
  for (std::size_t i = 0; i < d; ++i) {
    const std::int64_t total = std::max<std::int64_t>((w.output[i] - 1) * w.strides[i] + w.reach(i) - w.input[i], 0);
    w.pads_before[i] = automatic == "SAME_UPPER" ? total / 2 : total - total / 2;
    w.pads_after[i] = total - w.pads_before[i];
  }
  return w;
}

std::string conv_input_adjoint(Builder& b, const Window& w, const std::string& g, std::int64_t images,
                               const std::string& weight, const Shape& weight_shape) {
  const bool unit = std::all_of(w.strides.begin(), w.strides.end(), [](std::int64_t s) { return s == 1; });
  const bool depthwise = w.group > 1 && w.group == weight_shape[0];
  if (!unit && !depthwise) return by_transposed_convolution(b, w, g, weight);
  return by_convolution(b, w, g, joined({images, weight_shape[0]}, w.output), weight, weight_shape);
}

}  // namespace mpq::graph::adjoint
