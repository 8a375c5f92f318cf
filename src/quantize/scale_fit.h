#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mpq::quant {

/// The integers a width can hold: [-2^(b-1), 2^(b-1) - 1]. The lopsided range is why the sign of a scale matters.
struct IntegerRange {
  explicit IntegerRange(int bits) : low(-(1 << (bits - 1))), high((1 << (bits - 1)) - 1) {}
  int low;
  int high;
};

/// Nearest number of half precision's 11 significant bits, ties to even, without half's limits on the exponent.
float round_to_half_precision(float value);

/// Sum of (w - scale * clamp(rint(w / scale)))^2, exactly as quantize_grid rounds.
double squared_error(std::span<const float> row, float scale, IntegerRange range);

/// Finds the scale of half precision that minimises squared_error over a row.
/// `row` must be scaled so that its largest magnitude lies in [1, 2); scaling by a power of two changes nothing else.
class ScaleSearch {
 public:
  /// `exhaustive`: look at every distinct rounding of the row instead of scanning; see exact().
  ScaleSearch(int bits, bool exhaustive) : bits_(bits), range_(bits), exhaustive_(exhaustive) {}

  float best(std::span<const float> row);

  /// Scale of plain round-to-nearest: largest magnitude / (2^(b-1) - 1).
  float min_max(std::span<const float> row) const;

 private:
  struct Found {
    float scale = 0;
    double error = 0;
  };
  struct Breakpoint {
    float inverse_scale;  ///< where rint(|w| / scale) steps from k to k + 1
    float magnitude;
    int odd;  ///< (k + 1)^2 - k^2
  };

  /// The global optimum. As the scale shrinks, the integers of the row change at finitely many breakpoints; between two
  /// of them the best scale is <w,q>/<q,q>, so a sweep over the sorted breakpoints sees every candidate.
  Found exact(std::span<const float> row, float sign);
  /// Coarse geometric scan of clipping ratios, finer steps around the best, then alternating least squares.
  Found scan(std::span<const float> row, float sign) const;
  Found refined(std::span<const float> row, Found found, float ratio_step) const;
  /// The nearest scales that half precision can hold.
  Found stored(std::span<const float> row, const Found& found) const;

  int bits_;
  IntegerRange range_;
  bool exhaustive_;
  std::vector<Breakpoint> breakpoints_;  // scratch, kept between rows
};

}  // namespace mpq::quant
