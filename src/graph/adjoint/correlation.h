#pragma once

#include "graph/adjoint/window.h"

namespace mpq::graph::adjoint {

/// One factor of a weight's adjoint: [P, N, G*C, extents...], P the probes of an adjoint and 1 of a forward value.
struct Factor {
  std::string value;
  std::int64_t probes = 1, batch = 1, channels = 1;  ///< channels per group
  Shape extents;
};

/// sum over samples n and places p of narrow[n, c, p] wide[n, c', s p + d k], s strides and d dilations:
/// [probes, groups * narrow channels, wide channels, kernel...]. One of the factors carries the probes.
std::string correlation(Builder& b, const Window& w, const Factor& wide, const Factor& narrow);

}  // namespace mpq::graph::adjoint
