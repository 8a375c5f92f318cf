// The kernels, for the instruction set this file is compiled for: MPQ_KERNEL_NAME, MPQ_KERNEL_BYTES of a vector,
// MPQ_KERNEL_ROWS of a tile and MPQ_MULTIPLY_ADD(number, vector, sum). Included once by each of generic.cpp, avx2.cpp
// and avx512.cpp; nothing with inline code of the standard library may be included here, or the linker might pick a
// copy the processor cannot run.

#include "quantize/kernels/kernels.h"

namespace mpq::quant::kernels {
namespace {

constexpr std::size_t kLanes = MPQ_KERNEL_BYTES / sizeof(float);
constexpr std::size_t kTileRows = MPQ_KERNEL_ROWS;
constexpr std::size_t kTileColumns = 2 * kLanes;
constexpr std::size_t kDepth = 256;  // the same for all sets: sums are cut there
constexpr std::size_t kWidth = 256;  // a multiple of every kTileColumns

using Lanes = float __attribute__((vector_size(MPQ_KERNEL_BYTES)));

struct Tile {
  Lanes sums[kTileRows][2];
};

/// A panel of b: [depth][kTileColumns], its last columns zero where b ends.
void pack(const Product& p, std::size_t column, std::size_t first, std::size_t depth, float* panel) {
  const std::size_t columns = p.n - column < kTileColumns ? p.n - column : kTileColumns;
  for (std::size_t k = 0; k < depth; ++k) {
    const float* row = p.b + (first + k) * p.b_row + column;
    for (std::size_t j = 0; j < kTileColumns; ++j) panel[k * kTileColumns + j] = j < columns ? p.factor * row[j] : 0;
  }
}

template <std::size_t kRows>
void multiply(const Strided& a, std::size_t depth, const float* panel, Tile& tile) {
  Lanes sums[kRows][2] = {};
  for (std::size_t k = 0; k < depth; ++k) {
    Lanes b[2];
    __builtin_memcpy(b, panel + k * kTileColumns, sizeof b);
    const float* column = a.data + k * a.column;
    for (std::size_t i = 0; i < kRows; ++i) {
      sums[i][0] = MPQ_MULTIPLY_ADD(column[i * a.row], b[0], sums[i][0]);
      sums[i][1] = MPQ_MULTIPLY_ADD(column[i * a.row], b[1], sums[i][1]);
    }
  }
  for (std::size_t i = 0; i < kRows; ++i) {
    tile.sums[i][0] = sums[i][0];
    tile.sums[i][1] = sums[i][1];
  }
}

/// Rows that fill no tile go one at a time.
void multiply_rows(const Strided& a, std::size_t rows, std::size_t depth, const float* panel, Tile& tile) {
  if (rows == kTileRows) return multiply<kTileRows>(a, depth, panel, tile);
  for (std::size_t i = 0; i < rows; ++i) {
    Tile one;
    multiply<1>({a.data + i * a.row, a.row, a.column}, depth, panel, one);
    tile.sums[i][0] = one.sums[0][0];
    tile.sums[i][1] = one.sums[0][1];
  }
}

void add_tile(const Tile& tile, std::size_t rows, std::size_t columns, float* c, std::size_t c_row) {
  for (std::size_t i = 0; i < rows; ++i) {
    float numbers[kTileColumns];
    __builtin_memcpy(numbers, tile.sums[i], sizeof numbers);
    for (std::size_t j = 0; j < columns; ++j) c[i * c_row + j] += numbers[j];
  }
}

void product(const Product& p) {
  alignas(64) static thread_local float panels[kDepth * kWidth];
  for (std::size_t first = 0; first < p.k; first += kDepth) {
    const std::size_t depth = p.k - first < kDepth ? p.k - first : kDepth;
    for (std::size_t begin = 0; begin < p.n; begin += kWidth) {
      const std::size_t end = p.n - begin < kWidth ? p.n : begin + kWidth;
      for (std::size_t j = begin; j < end; j += kTileColumns) pack(p, j, first, depth, panels + (j - begin) * kDepth);
      for (std::size_t i = 0; i < p.m; i += kTileRows) {
        const std::size_t rows = p.m - i < kTileRows ? p.m - i : kTileRows;
        const Strided a{p.a.data + i * p.a.row + first * p.a.column, p.a.row, p.a.column};
        for (std::size_t j = begin; j < end; j += kTileColumns) {
          if (p.upper && j + kTileColumns <= i) continue;
          Tile tile;
          multiply_rows(a, rows, depth, panels + (j - begin) * kDepth, tile);
          add_tile(tile, rows, p.n - j < kTileColumns ? p.n - j : kTileColumns, p.c + i * p.c_row + j, p.c_row);
        }
      }
    }
  }
}

void add(float* y, const float* x, float factor, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) y[i] += factor * x[i];
}

void round_column(const Column& column, const RoundedColumn& rounded, std::size_t n) {
  const float* const weights = column.weights;
  const float* const scales = column.scales;
  const float* const moved = column.moved;
  float* __restrict const integers = rounded.integers;
  float* __restrict const errors = rounded.errors;
  float* __restrict const objective = rounded.objective;
  const float pivot = column.pivot, low = column.levels.low, high = column.levels.high;
  for (std::size_t i = 0; i < n; ++i) {
    const float aim = weights[i] + moved[i] / pivot;
    const float q = nearest_integer(aim / scales[i], low, high);
    const float left = pivot * (aim - q * scales[i]);
    integers[i] = q;
    errors[i] = weights[i] - q * scales[i];
    objective[i] += left * left;
  }
}

std::size_t next_change(const Descent& row, std::size_t from, std::size_t n) {
  constexpr std::size_t kAtOnce = 16;
  std::size_t k = from;
  for (; k + kAtOnce <= n; k += kAtOnce) {
    float steps[kAtOnce];
    for (std::size_t i = 0; i < kAtOnce; ++i) steps[i] = best_step(row, k + i);
    float any = 0;
    for (std::size_t i = 0; i < kAtOnce; ++i) any += steps[i] * steps[i];
    if (any == 0) continue;
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      if (steps[i] != 0) return k + i;
    }
  }
  for (; k < n; ++k) {
    if (best_step(row, k) != 0) return k;
  }
  return n;
}

constexpr std::size_t kRowLanes = 16;   // the same for all sets, as the order of sums hangs on it
constexpr std::size_t kStretch = 2048;  // single-precision sums stay this short

/// Calls visit(pointer to kRowLanes weights); the last call sees the rest padded with zeros, which round to zero and
/// add nothing to any sum.
template <typename Visit>
void for_each_lanes(const float* weights, std::size_t count, const Visit& visit) {
  std::size_t i = 0;
  for (; i + kRowLanes <= count; i += kRowLanes) visit(weights + i);
  if (i == count) return;
  float tail[kRowLanes] = {};
  for (std::size_t lane = 0; i + lane < count; ++lane) tail[lane] = weights[i + lane];
  visit(tail);
}

RowMoments moments(const GridRow& row) {
  const float scale = row.scale, inverse = 1.0F / scale, low = row.low, high = row.high;
  RowMoments result;
  for (std::size_t start = 0; start < row.count; start += kStretch) {
    float error[kRowLanes] = {}, wq[kRowLanes] = {}, qq[kRowLanes] = {};
    const std::size_t left = row.count - start;
    for_each_lanes(row.weights + start, left < kStretch ? left : kStretch, [&](const float* weights) {
      for (std::size_t lane = 0; lane < kRowLanes; ++lane) {
        const float w = weights[lane], q = nearest_integer(w * inverse, low, high), rest = w - q * scale;
        error[lane] += rest * rest;
        wq[lane] += w * q;
        qq[lane] += q * q;
      }
    });
    double errors = 0, wqs = 0, qqs = 0;  // side by side: for short rows these sums take as long as the row
    for (std::size_t lane = 0; lane < kRowLanes; ++lane) {
      errors += static_cast<double>(error[lane]);
      wqs += static_cast<double>(wq[lane]);
      qqs += static_cast<double>(qq[lane]);
    }
    result.error += errors;
    result.wq += wqs;
    result.qq += qqs;
  }
  return result;
}

double squared_error(const GridRow& row) {
  const float scale = row.scale, low = row.low, high = row.high;
  double sums[kRowLanes] = {};
  for_each_lanes(row.weights, row.count, [&](const float* weights) {
    for (std::size_t lane = 0; lane < kRowLanes; ++lane) {
      const double q = static_cast<double>(nearest_integer(weights[lane] / scale, low, high));
      const double rest = static_cast<double>(weights[lane]) - q * static_cast<double>(scale);
      sums[lane] += rest * rest;
    }
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

void round_row(const GridRow& row, signed char* integers) {
  for (std::size_t i = 0; i < row.count; ++i) {
    integers[i] =
        static_cast<signed char>(static_cast<int>(nearest_integer(row.weights[i] / row.scale, row.low, row.high)));
  }
}

using Eight = float __attribute__((vector_size(8 * sizeof(float))));

constexpr std::size_t kStates = 32;

/// States are the last five path bits, the latest the lowest. State 2 m + u follows m and m + 16 by the path bit u; the
/// subset of each step hangs on u ^ bit 1 of m (^ 1 from m + 16) and on bit 2 of m.
void trellis(const TrellisRun& run) {
  constexpr std::size_t kRenew = 64;  // steps after which what all states share is taken off
  for (std::size_t t = 0; t < run.count; ++t) {
    float* const before = run.metrics + t * kStates;
    if (t % kRenew == 0) {
      float shared = before[0];
      for (std::size_t i = 1; i < kStates; ++i) shared = before[i] < shared ? before[i] : shared;
      for (std::size_t i = 0; i < kStates; ++i) before[i] -= shared;
    }
    const float ratio = run.ratios[t];
    const float* const nearest = run.nearest + 4 * half_step(ratio);
    float costs[4];
    for (std::size_t subset = 0; subset < 4; ++subset) {
      const float rest = ratio - nearest[subset];
      costs[subset] = rest * rest;
    }
    const Eight straight = {costs[0], costs[0], costs[2], costs[2], costs[1], costs[1], costs[3], costs[3]};
    const Eight crossed = {costs[2], costs[2], costs[0], costs[0], costs[3], costs[3], costs[1], costs[1]};
    for (std::size_t half = 0; half < 2; ++half) {
      Eight recent, old;
      __builtin_memcpy(&recent, before + 8 * half, sizeof recent);
      __builtin_memcpy(&old, before + 16 + 8 * half, sizeof old);
      const Eight a = recent + straight, b = old + crossed, c = recent + crossed, d = old + straight;
      const Eight even = a < b ? a : b, odd = c < d ? c : d;
      const Eight low = __builtin_shufflevector(even, odd, 0, 8, 1, 9, 2, 10, 3, 11);
      const Eight high = __builtin_shufflevector(even, odd, 4, 12, 5, 13, 6, 14, 7, 15);
      __builtin_memcpy(before + kStates + 16 * half, &low, sizeof low);
      __builtin_memcpy(before + kStates + 16 * half + 8, &high, sizeof high);
    }
  }
}

}  // namespace

const Kernels MPQ_KERNEL_NAME = {MPQ_KERNEL_TEXT, product,       add,       round_column, next_change,
                                 moments,         squared_error, round_row, trellis};

}  // namespace mpq::quant::kernels
