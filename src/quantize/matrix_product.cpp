#include "quantize/matrix_product.h"

#include <algorithm>
#include <cmath>

#include "quantize/kernels/kernels.h"

namespace mpq::quant {

namespace {

std::size_t extent(Eigen::Index index) { return static_cast<std::size_t>(index); }

}  // namespace

Matrix times(const Matrix& a, const Matrix& b) {
  Matrix result = Matrix::Zero(a.rows(), b.cols());
  kernels::best().product({{a.data(), extent(a.cols()), 1},
                           b.data(),
                           extent(b.cols()),
                           result.data(),
                           extent(b.cols()),
                           extent(a.rows()),
                           extent(b.cols()),
                           extent(a.cols())});
  return result;
}

Matrix transpose_times(std::span<const float> x, std::span<const float> y, std::size_t count) {
  const bool symmetric = y.empty();
  if (symmetric) y = x;
  const std::size_t m = x.size() / count, n = y.size() / count;
  Matrix result = Matrix::Zero(static_cast<Eigen::Index>(m), static_cast<Eigen::Index>(n));
  kernels::best().product({{x.data(), 1, m}, y.data(), n, result.data(), n, m, n, count, 1, symmetric});
  if (symmetric) result.triangularView<Eigen::StrictlyLower>() = result.transpose();
  return result;
}

/// Row by row within a block of rows; what the block leaves of the rows below it in one product.
bool factorize(Matrix& matrix) {
  constexpr std::size_t kBlock = 64;
  const kernels::Kernels& kernel = kernels::best();
  const std::size_t n = extent(matrix.rows());
  float* const data = matrix.data();
  for (std::size_t begin = 0; begin < n; begin += kBlock) {
    const std::size_t end = std::min(begin + kBlock, n);
    for (std::size_t i = begin; i < end; ++i) {
      float* const row = data + i * n;
      if (!(row[i] > 0) || !std::isfinite(row[i])) return false;
      const float pivot = std::sqrt(row[i]);
      for (std::size_t j = i; j < n; ++j) row[j] /= pivot;
      for (std::size_t p = i + 1; p < end; ++p) kernel.add(data + p * n + p, row + p, -row[p], n - p);
    }
    if (end == n) break;
    float* const block = data + begin * n + end;
    kernel.product({{block, 1, n}, block, n, data + end * n + end, n, n - end, n - end, end - begin, -1, true});
  }
  return true;
}

}  // namespace mpq::quant
