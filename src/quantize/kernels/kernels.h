#pragma once

#include <cstddef>

namespace mpq::quant::kernels {

/// A matrix given by strides: element (i, k) stands at data[i * row + k * column].
struct Strided {
  const float* data = nullptr;
  std::size_t row = 0, column = 1;
};

/// One call of `product`: c[m, n] += factor * a[m, k] b[k, n]. b and c are row-major with rows of b_row and c_row
/// floats.
struct Product {
  Strided a;
  const float* b = nullptr;
  std::size_t b_row = 0;
  float* c = nullptr;
  std::size_t c_row = 0;
  std::size_t m = 0, n = 0, k = 0;
  float factor = 1;    ///< 1 or -1
  bool upper = false;  ///< c is symmetric: only tiles that reach its upper triangle are computed
};

/// Numbers of one column of weights, one per row of the weight matrix.
struct Column {
  const float* weights = nullptr;
  const float* scales = nullptr;
  const float* moved = nullptr;  ///< what earlier roundings ask this column to make up for, times `pivot`
  float pivot = 1;
  float low = 0, high = 0;  ///< of the grid's integers
};

/// Numbers of one row while integers are changed one at a time.
struct Descent {
  const float* weights = nullptr;
  const float* scales = nullptr;
  const float* errors = nullptr;
  const float* slopes = nullptr;
  const float* curvatures = nullptr;
  const float* integers = nullptr;
  float low = 0, high = 0;
};

/// The inner loops of rounding, compiled for several instruction sets from one source (body.h). Every sum has one order
/// and nothing is fused, so all of them give the same bits on every processor.
struct Kernels {
  const char* name;
  void (*product)(const Product&);
  /// y[i] += factor * x[i].
  void (*add)(float* y, const float* x, float factor, std::size_t n);
  /// integers[i] = clamp(round(weights + moved / pivot) / scale), errors[i] = weights - integers * scale.
  void (*round_column)(const Column&, float* integers, float* errors, std::size_t n);
  /// The first column at `from` or behind whose integer should change, alone; n where there is none.
  std::size_t (*next_change)(const Descent&, std::size_t from, std::size_t n);
};

/// Where the best integer for column k is another, by how much it should change; else 0. Static, so that every
/// instruction set keeps a copy of its own.
static inline float best_step(const Descent& row, std::size_t k) {
  // Adding and subtracting 1.5 * 2^23 rounds |x| < 2^22 to an integer, ties to even.
  constexpr float kRounder = 12582912.0F;
  // Only what truly lowers the objective: ties and rounding noise would never settle.
  constexpr float kLeastGain = 1e-4F;
  const float curvature = row.curvatures[k], scale = row.scales[k], slope = row.slopes[k];
  const float best = (row.weights[k] + row.errors[k] - slope / curvature) / scale;
  float q = best < row.low ? row.low : best;
  q = q > row.high ? row.high : q;
  const float step = (q + kRounder) - kRounder - row.integers[k];
  const float change = step * scale;
  const float gain = -change * (2 * slope + change * curvature);
  return curvature > 0 && gain > kLeastGain * curvature * scale * scale ? step : 0;
}

/// The fastest that this processor runs.
const Kernels& best();
/// All that this processor runs, the plainest first.
std::size_t count();
const Kernels& at(std::size_t index);

extern const Kernels kGeneric;
#if defined(__x86_64__) && defined(__GNUC__)
#define MPQ_KERNELS_X86 1
extern const Kernels kAvx2;
extern const Kernels kAvx512;
#endif

}  // namespace mpq::quant::kernels
