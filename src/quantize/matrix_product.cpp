#include "quantize/matrix_product.h"

#include <algorithm>
#include <cmath>

#include "quantize/kernels/kernels.h"
#include "support/parallel.h"

namespace mpq::quant {

namespace {

constexpr std::size_t kBlock = 64;

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

/// Rows of the result go to threads in panels; of a symmetric one what stands below the diagonal is mirrored.
Matrix transpose_times(std::span<const float> x, std::span<const float> y, std::size_t count, int threads) {
  constexpr std::size_t kPanel = 192;  // a multiple of every kernel's tile, so that sums do not depend on the panels
  const bool symmetric = y.empty();
  if (symmetric) y = x;
  const std::size_t m = x.size() / count, n = y.size() / count;
  Matrix result = Matrix::Zero(static_cast<Eigen::Index>(m), static_cast<Eigen::Index>(n));
  parallel_for((m + kPanel - 1) / kPanel, threads, [&](std::size_t panel, int) {
    const std::size_t row = panel * kPanel, rows = std::min(kPanel, m - row), column = symmetric ? row : 0;
    kernels::best().product({{x.data() + row, 1, m},
                             y.data() + column,
                             n,
                             result.data() + row * n + column,
                             n,
                             rows,
                             n - column,
                             count,
                             1,
                             symmetric});
  });
  if (symmetric) result.triangularView<Eigen::StrictlyLower>() = result.transpose();
  return result;
}

/// Row by row within a block of rows; what the block leaves of the rows below it in one product.
bool factorize(Matrix& matrix) {
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

void solve(const Matrix& factor, Matrix& numbers) {
  const kernels::Kernels& kernel = kernels::best();
  const std::size_t n = extent(factor.rows()), width = extent(numbers.cols());
  const float* const r = factor.data();
  const auto line = [&](std::size_t i) { return numbers.data() + i * width; };
  const auto divide = [&](std::size_t i) {
    for (std::size_t j = 0; j < width; ++j) line(i)[j] /= r[i * n + i];
  };
  for (std::size_t begin = 0; begin < n; begin += kBlock) {  // R' Y = numbers
    const std::size_t end = std::min(begin + kBlock, n);
    for (std::size_t i = begin; i < end; ++i) {
      for (std::size_t k = begin; k < i; ++k) kernel.add(line(i), line(k), -r[k * n + i], width);
      divide(i);
    }
    if (end == n) break;
    kernel.product(
        {{r + begin * n + end, 1, n}, line(begin), width, line(end), width, n - end, width, end - begin, -1});
  }
  for (std::size_t end = n; end > 0; end -= (end - 1) % kBlock + 1) {  // R X = Y
    const std::size_t begin = end - ((end - 1) % kBlock + 1);
    for (std::size_t i = end; i-- > begin;) {
      for (std::size_t k = i + 1; k < end; ++k) kernel.add(line(i), line(k), -r[i * n + k], width);
      divide(i);
    }
    if (begin == 0) break;
    kernel.product({{r + begin, n, 1}, line(begin), width, line(0), width, begin, width, end - begin, -1});
  }
}

}  // namespace mpq::quant
