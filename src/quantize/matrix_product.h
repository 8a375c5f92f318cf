#pragma once

#include <span>

#include "quantize/weight_matrix.h"

namespace mpq::quant {

/// a b.
Matrix times(const Matrix& a, const Matrix& b);

/// x' y for row-major x and y of `count` rows; y empty: x' x. The result does not depend on `threads`.
Matrix transpose_times(std::span<const float> x, std::span<const float> y, std::size_t count, int threads = 1);

/// Replaces the upper triangle by R with R'R = matrix, what stands below it by anything. False where the matrix is not
/// positive definite.
bool factorize(Matrix& matrix);

/// Replaces `numbers` by X with R'R X = numbers, for the R of factorize.
void solve(const Matrix& factor, Matrix& numbers);

}  // namespace mpq::quant
