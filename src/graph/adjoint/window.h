#pragma once

#include <string>

#include "graph/adjoint/rule.h"

namespace mpq::graph::adjoint {

/// How a convolution or pool moves over its input, auto_pad resolved from the shapes.
struct Window {
  Shape kernel, strides, dilations, pads_before, pads_after;
  Shape input, output;  ///< spatial extents
  std::int64_t group = 1;
  std::size_t rank() const { return kernel.size(); }
  /// Extent of the dilated kernel.
  std::int64_t reach(std::size_t d) const { return (kernel[d] - 1) * dilations[d] + 1; }
};

/// Of a node that reads `wide` and writes `narrow` (a ConvTranspose the other way round).
Window window_of(const RuleCall& c, const Shape& kernel, const Shape& wide, const Shape& narrow);

/// dL/dx of y = Conv(x, weight): `g` is [images, channels, output...], the result [images, channels, input...].
std::string conv_input_adjoint(Builder& b, const Window& w, const std::string& g, std::int64_t images,
                               const std::string& weight, const Shape& weight_shape);

}  // namespace mpq::graph::adjoint
