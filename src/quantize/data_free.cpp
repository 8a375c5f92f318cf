#include "quantize/data_free.h"

#include <cmath>

namespace mpq::quant {

namespace {

using Eigen::Index;

constexpr double kGoTogether = 1. / 20;  // mean correlation of channels that counts as one

/// Mean correlation (about zero) of inputs of different channels: their products over the roots of their energies.
double mean_correlation(const DoubleMatrix& gram, Index taps) {
  const Eigen::VectorXd roots = gram.diagonal().cwiseMax(0).cwiseSqrt();
  double products = gram.sum(), most = roots.sum() * roots.sum();
  for (Index first = 0; first < gram.rows(); first += taps) {
    products -= gram.block(first, first, taps, taps).sum();
    most -= roots.segment(first, taps).sum() * roots.segment(first, taps).sum();
  }
  return most > 0 ? products / most : 0;
}

}  // namespace

DoubleMatrix data_free_gram(const Moments2& inputs, std::size_t taps, double trust) {
  const DoubleMatrix& gram = inputs.gram;
  const Index n = gram.rows();
  const auto kernel = static_cast<Index>(n % static_cast<Index>(taps) == 0 ? taps : 1);
  const double mean = gram.diagonal().mean();
  DoubleMatrix result = DoubleMatrix::Identity(n, n);
  if (mean > 0) result += trust / mean * gram;
  if (kernel > 1) {
    for (Index first = 0; first < n; first += kernel) result.block(first, first, kernel, kernel).array() += 1;
  }
  if (mean_correlation(gram, kernel) > kGoTogether) result.array() += 1;
  return result;
}

}  // namespace mpq::quant
