#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quantize/rounding.h"

namespace mpq::quant {

/// A scale and the squared error it leaves on a row.
struct ScaleError {
  float scale = 0;
  double error = 0;
};

/// The best scale of a short row, to the last rounding. As the scale shrinks, the integers of a row change at finitely
/// many breakpoints |w| / scale = k + 1/2; between two of them the best scale is <w,q>/<q,q>. So a sweep over the
/// sorted breakpoints sees every candidate. On long rows neighbouring candidates are equally good and a scan does.
class BreakpointSweep {
 public:
  explicit BreakpointSweep(int bits) : bits_(bits), range_(bits) {}

  /// Improves `found` by the best scale of its half-precision neighbourhood with this sign, if that is better.
  ScaleError improved(std::span<const float> row, float sign, ScaleError found);

 private:
  struct Breakpoint {
    float inverse_scale;  ///< where the integer steps from k to k + 1
    float magnitude;      ///< |w|
    std::int32_t odd;     ///< (k + 1)^2 - k^2
  };
  /// The inverse scales worth sweeping.
  struct Window {
    double begin = 0;
    double end = 0;
  };
  Window window(std::span<const float> row, float sign, double error) const;
  void collect(std::span<const float> row, float sign, const Window& window);
  void sort(const Window& window);
  int most_steps(float w, float sign) const { return w * sign > 0 ? range_.high : -range_.low; }

  int bits_;
  IntegerRange range_;
  double wq_ = 0, qq_ = 0;  ///< at the window's begin
  std::vector<Breakpoint> breakpoints_, sorted_;
  std::vector<std::uint32_t> buckets_;
};

}  // namespace mpq::quant
