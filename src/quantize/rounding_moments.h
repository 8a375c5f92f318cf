#pragma once

#include <span>

#include "quantize/scale_fit.h"

namespace mpq::quant {

/// What rounding a row at one scale leaves, and how to improve the scale for the integers found.
struct Moments {
  double error = 0;  ///< sum (w - s q)^2
  double wq = 0;     ///< <w, q>
  double qq = 0;     ///< <q, q>

  /// The least-squares scale for these integers, and what error it leaves at most (rounding again only helps).
  double best_scale(double scale) const { return qq > 0 ? wq / qq : scale; }
  double best_error(double scale) const {
    const double step = scale - best_scale(scale);
    return error - qq * step * step;
  }
};

/// One pass over the row; sums in single precision over short stretches, which ranks scales well enough to search by.
Moments rounding_moments(std::span<const float> row, float scale, IntegerRange range);

}  // namespace mpq::quant
