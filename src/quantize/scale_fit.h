#pragma once

#include <span>

#include "quantize/breakpoint_sweep.h"
#include "quantize/rounding.h"

namespace mpq::quant {

/// Nearest number of half precision's 11 significant bits, ties to even, without half's limits on the exponent.
float round_to_half_precision(float value);

/// Finds the scale of half precision that minimises squared_error over a row.
/// `row` must be scaled so that its largest magnitude lies in [1, 2); scaling by a power of two changes nothing else.
class ScaleSearch {
 public:
  /// `exhaustive`: improve what the scan finds by a BreakpointSweep.
  ScaleSearch(int bits, bool exhaustive) : bits_(bits), range_(bits), exhaustive_(exhaustive), sweep_(bits) {}

  float best(std::span<const float> row);

  /// Scale of plain round-to-nearest: largest magnitude / (2^(b-1) - 1).
  float min_max(std::span<const float> row) const;

 private:
  /// Coarse geometric scan of clipping ratios, finer steps around the best, then alternating least squares.
  ScaleError scan(std::span<const float> row, float sign) const;
  ScaleError refined(std::span<const float> row, ScaleError found) const;
  /// One pass: the least-squares scale for the integers that `scale` gives.
  ScaleError measured(std::span<const float> row, float scale) const;
  ScaleError stored(std::span<const float> row, float scale) const;

  int bits_;
  IntegerRange range_;
  bool exhaustive_;
  BreakpointSweep sweep_;
};

}  // namespace mpq::quant
