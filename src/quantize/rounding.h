#pragma once

#include <cstdint>
#include <span>

namespace mpq::quant {

/// The integers a width can hold: [-2^(b-1), 2^(b-1) - 1]. The lopsided range is why the sign of a scale matters.
struct IntegerRange {
  explicit IntegerRange(int bits) : low(-(1 << (bits - 1))), high((1 << (bits - 1)) - 1) {}
  int low;
  int high;
};

/// out[i] = rint(clamp(row[i] / scale)), ties to even.
void round_to_grid(std::span<const float> row, float scale, IntegerRange range, std::int8_t* out);

/// `value`, or where a runtime would round its product with `scale` to infinity the next one towards zero that it does
/// not.
std::int8_t finite_value(std::int8_t value, float scale, float limit);

/// Sum of (w - scale * q)^2 with q as round_to_grid rounds, in double precision.
double squared_error(std::span<const float> row, float scale, IntegerRange range);

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

/// One quick pass over the row, in single precision over short stretches and by the reciprocal of the scale: good
/// enough to search by. No magnitude may exceed 2.
Moments rounding_moments(std::span<const float> row, float scale, IntegerRange range);

}  // namespace mpq::quant
