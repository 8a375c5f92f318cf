// The kernels, for the instruction set this file is compiled for: MPQ_KERNEL_NAME, MPQ_KERNEL_BYTES of a vector and
// MPQ_KERNEL_ROWS of a tile. Included once by each of generic.cpp, avx2.cpp and avx512.cpp; nothing with inline code of
// the standard library may be included here, or the linker might pick a copy the processor cannot run.

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
      sums[i][0] += column[i * a.row] * b[0];
      sums[i][1] += column[i * a.row] * b[1];
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

void round_column(const Column& column, float* __restrict integers, float* __restrict errors, std::size_t n) {
  constexpr float kRounder = 12582912.0F;
  for (std::size_t i = 0; i < n; ++i) {
    const float w = column.weights[i], scale = column.scales[i];
    const float aim = (w + column.moved[i] / column.pivot) / scale;
    float q = aim < column.low ? column.low : aim;
    q = q > column.high ? column.high : q;
    q = (q + kRounder) - kRounder;
    integers[i] = q;
    errors[i] = w - q * scale;
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

}  // namespace

const Kernels MPQ_KERNEL_NAME = {MPQ_KERNEL_TEXT, product, add, round_column, next_change};

}  // namespace mpq::quant::kernels
