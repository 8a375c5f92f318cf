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

/// The integers a weight may become, in units of its scale: all between.
struct Levels {
  float low = 0, high = 0;
};

/// Nearest integer of a grid, ties to even: adding and subtracting 1.5 * 2^23 rounds |x| < 2^22.
static inline float nearest_integer(float ratio, float low, float high) {
  constexpr float kRounder = 12582912.0F;
  float q = ratio < low ? low : ratio;
  q = q > high ? high : q;
  return (q + kRounder) - kRounder;
}

/// Ratios between -128 and 128 are told apart by half steps, for the entries of trellises are integers.
constexpr int kHalfSteps = 512;
static inline int half_step(float ratio) {
  const float place = 2 * ratio + kHalfSteps / 2;
  return place > 0 ? static_cast<int>(place < kHalfSteps - 1 ? place : kHalfSteps - 1) : 0;
}

/// Numbers of one column of weights, one per row of the weight matrix.
struct Column {
  const float* weights = nullptr;
  const float* scales = nullptr;
  const float* moved = nullptr;  ///< what earlier roundings ask this column to make up for, times `pivot`
  float pivot = 1;
  Levels levels;
};

/// What rounding a column gives, per row.
struct RoundedColumn {
  float* integers = nullptr;
  float* errors = nullptr;     ///< weights - integers * scales
  float* objective = nullptr;  ///< grows by (pivot * what is left of the aim)^2
};

/// Numbers of one row while integers are changed one at a time.
struct Descent {
  const float* weights = nullptr;
  const float* scales = nullptr;
  const float* errors = nullptr;
  const float* slopes = nullptr;
  const float* curvatures = nullptr;
  const float* integers = nullptr;
  Levels levels;
};

/// A run of weights on its way through a trellis (quantize/trellis.h).
struct TrellisRun {
  const float* ratios = nullptr;
  std::size_t count = 0;
  const float* nearest = nullptr;  ///< TrellisTable's numbers, four for every half step
  /// [count + 1][32]: the first line, what it costs to start in each state, is given; line t + 1 becomes the least
  /// squared error of a path that ends in each state behind ratio t, less what all states share.
  float* metrics = nullptr;
};

/// A row of weights and a grid for it.
struct GridRow {
  const float* weights = nullptr;
  std::size_t count = 0;
  float scale = 1;
  float low = 0, high = 0;
};

/// Sums over a row: (w - s q)^2, w q and q^2.
struct RowMoments {
  double error = 0, wq = 0, qq = 0;
};

/// The inner loops of rounding, compiled for several instruction sets from one source (body.h). Every sum has one
/// order, and nothing but `product` is fused, so all of them give the same bits on every processor; products do on all
/// with AVX2 or AVX-512, whose fused multiply-add makes them a quarter faster (Zen).
struct Kernels {
  const char* name;
  void (*product)(const Product&);
  /// y[i] += factor * x[i].
  void (*add)(float* y, const float* x, float factor, std::size_t n);
  /// Rounds weights + moved / pivot, the aim, to the grid.
  void (*round_column)(const Column&, const RoundedColumn&, std::size_t n);
  /// The first column at `from` or behind whose integer should change, alone; n where there is none.
  std::size_t (*next_change)(const Descent&, std::size_t from, std::size_t n);
  /// See rounding.h: rounding_moments, squared_error and round_to_grid.
  RowMoments (*moments)(const GridRow&);
  double (*squared_error)(const GridRow&);
  void (*round_row)(const GridRow&, signed char* integers);
  /// The forward half of Viterbi's algorithm.
  void (*trellis)(const TrellisRun&);
};

/// Where the best integer for column k is another, by how much it should change; else 0. Static, so that every
/// instruction set keeps a copy of its own.
static inline float best_step(const Descent& row, std::size_t k) {
  // Only what truly lowers the objective: ties and rounding noise would never settle.
  constexpr float kLeastGain = 1e-4F;
  const float curvature = row.curvatures[k], scale = row.scales[k], slope = row.slopes[k];
  const float best = (row.weights[k] + row.errors[k] - slope / curvature) / scale;
  const float q = nearest_integer(best, row.levels.low, row.levels.high);
  const float step = q - row.integers[k];
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
