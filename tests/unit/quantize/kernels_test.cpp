#include "quantize/kernels/kernels.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "quantize/matrix_product.h"
#include "support/random.h"

namespace mpq::quant {
namespace {

using Numbers = std::vector<float>;

Numbers gaussians(std::uint64_t key, std::size_t count) {
  Numbers values(count);
  fill_gaussian(Philox(key), values);
  return values;
}

/// c + a b by one kernel set; `a` given by its transpose where asked for.
Numbers product_by(const kernels::Kernels& kernel, std::size_t m, std::size_t n, std::size_t k, bool transposed) {
  const Numbers a = gaussians(1, m * k), b = gaussians(2, k * n);
  Numbers c = gaussians(3, m * n);
  kernel.product({{a.data(), transposed ? 1 : k, transposed ? m : 1}, b.data(), n, c.data(), n, m, n, k, -1});
  return c;
}

TEST(Kernels, ProductIsTheSumOverTheDepth) {
  for (std::size_t set = 0; set < kernels::count(); ++set) {
    for (const auto [m, n, k] : {std::array<std::size_t, 3>{1, 1, 1}, {13, 37, 300}, {48, 64, 5}, {3, 600, 257}}) {
      for (const bool transposed : {false, true}) {
        const Numbers a = gaussians(1, m * k), b = gaussians(2, k * n), before = gaussians(3, m * n);
        const Numbers found = product_by(kernels::at(set), m, n, k, transposed);
        for (std::size_t i = 0; i < m; ++i) {
          for (std::size_t j = 0; j < n; ++j) {
            double sum = before[i * n + j];
            for (std::size_t d = 0; d < k; ++d)
              sum -= static_cast<double>(transposed ? a[d * m + i] : a[i * k + d]) * b[d * n + j];
            ASSERT_NEAR(found[i * n + j], sum, 2e-4) << kernels::at(set).name << " " << m << " " << n << " " << k;
          }
        }
      }
    }
  }
}

TEST(Kernels, EveryInstructionSetGivesTheSameBits) {
  for (std::size_t set = 1; set < kernels::count(); ++set) {
    // Fused in all but the plainest.
    EXPECT_EQ(product_by(kernels::at(set), 29, 83, 700, true), product_by(kernels::at(1), 29, 83, 700, true));
    constexpr std::size_t kCount = 100;
    const Numbers weights = gaussians(4, kCount), moved = gaussians(5, kCount), scales(kCount, .37F);
    Numbers integers[2] = {Numbers(kCount), Numbers(kCount)}, errors[2] = {Numbers(kCount), Numbers(kCount)};
    Numbers objective[2] = {Numbers(kCount), Numbers(kCount)};
    for (const std::size_t i : {0, 1}) {
      const kernels::Kernels& kernel = kernels::at(i * set);
      kernel.round_column({weights.data(), scales.data(), moved.data(), .7F, {-4, 3}},
                          {integers[i].data(), errors[i].data(), objective[i].data()}, kCount);
      kernel.add(errors[i].data(), weights.data(), .3F, kCount);
    }
    EXPECT_EQ(integers[0], integers[1]);
    EXPECT_EQ(errors[0], errors[1]);
    EXPECT_EQ(objective[0], objective[1]);
    for (const std::size_t length : {std::size_t{7}, std::size_t{16}, std::size_t{5000}}) {
      const Numbers row = gaussians(6, length);
      const kernels::GridRow on_grid{row.data(), length, -.21F, -4, 3};
      const kernels::RowMoments found = kernels::at(set).moments(on_grid), plain = kernels::at(0).moments(on_grid);
      EXPECT_EQ(std::tie(found.error, found.wq, found.qq), std::tie(plain.error, plain.wq, plain.qq));
      EXPECT_EQ(kernels::at(set).squared_error(on_grid), kernels::at(0).squared_error(on_grid));
      std::vector<signed char> rounded[2] = {std::vector<signed char>(length), std::vector<signed char>(length)};
      for (const std::size_t i : {0, 1}) kernels::at(i * set).round_row(on_grid, rounded[i].data());
      EXPECT_EQ(rounded[0], rounded[1]);
      const Numbers nearest = gaussians(11, 4 * kernels::kHalfSteps);
      Numbers metrics[2] = {Numbers(32 * (length + 1)), Numbers(32 * (length + 1))};
      for (const std::size_t i : {0, 1})
        kernels::at(i * set).trellis({row.data(), length, nearest.data(), metrics[i].data()});
      EXPECT_EQ(metrics[0], metrics[1]);
    }
  }
}

TEST(Kernels, NextChangeIsWhatBestStepSays) {
  constexpr std::size_t kCount = 50;
  const Numbers weights = gaussians(6, kCount), errors = gaussians(7, kCount), scales(kCount, .3F);
  Numbers curvatures(kCount, 1), integers(kCount, 0), slopes(kCount, 0);
  slopes[3] = .5F, slopes[37] = -2, slopes[49] = 1;
  curvatures[37] = 0;
  Numbers still(kCount);  // the error is that of the integer held: no change helps without a slope
  for (std::size_t i = 0; i < kCount; ++i) still[i] = -weights[i];
  const kernels::Descent row{weights.data(),    scales.data(),   still.data(), slopes.data(),
                             curvatures.data(), integers.data(), {-4, 3}};
  for (std::size_t set = 0; set < kernels::count(); ++set) {
    EXPECT_EQ(kernels::at(set).next_change(row, 0, kCount), 3U);
    EXPECT_EQ(kernels::at(set).next_change(row, 4, kCount), 49U);
    EXPECT_EQ(kernels::at(set).next_change(row, 50, kCount), kCount);
  }
  EXPECT_EQ(kernels::best_step(row, 3), -2);
}

TEST(MatrixProduct, SolvesWithTheFactor) {
  for (const std::size_t n : {3, 64, 200}) {
    Matrix gram = transpose_times(gaussians(9, 2 * n * n), {}, 2 * n) / static_cast<float>(n);
    const Numbers numbers = gaussians(10, n * 7);
    const Matrix expected = Eigen::Map<const Matrix>(numbers.data(), static_cast<Eigen::Index>(n), 7);
    Matrix found = times(gram, expected);
    ASSERT_TRUE(factorize(gram));
    solve(gram, found);
    EXPECT_LT((found - expected).norm() / expected.norm(), 1e-3) << n;
  }
}

TEST(MatrixProduct, FactorTimesItselfIsTheMatrix) {
  for (const std::size_t n : {1, 5, 64, 150}) {
    const Numbers rows = gaussians(8, 2 * n * n);
    const Matrix gram = transpose_times(rows, {}, 2 * n);
    EXPECT_EQ(gram, gram.transpose());
    Matrix factor = gram;
    ASSERT_TRUE(factorize(factor));
    const Matrix upper = factor.triangularView<Eigen::Upper>();
    EXPECT_LT((upper.transpose() * upper - gram).norm() / gram.norm(), 1e-5);
  }
  Matrix indefinite = Matrix::Identity(3, 3);
  indefinite(2, 2) = -1;
  EXPECT_FALSE(factorize(indefinite));
}

}  // namespace
}  // namespace mpq::quant
