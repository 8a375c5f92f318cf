#pragma once

#include <vector>

#include <Eigen/Core>

#include "quantize/weight_matrix.h"

namespace mpq::quant {

/// What was seen of the input of products in several runs: a row per run, a column per channel.
struct InputExtremes {
  explicit InputExtremes(Eigen::Index runs = 0, Eigen::Index channels = 0)
      : above(Matrix::Zero(runs, channels)),
        below(Matrix::Zero(runs, channels)),
        mean_square(Eigen::VectorXd::Zero(channels)) {}
  /// Takes in the rows [count, channels] of one run, each run once.
  void add(Eigen::Index run, const Eigen::Ref<const Matrix>& rows);

  Matrix above, below;          ///< how far the channel reaches above and below zero in the run; never negative
  Eigen::VectorXd mean_square;  ///< over all rows of all runs
};

/// A product that reads the input.
struct InputReader {
  Matrix weight;     ///< [outputs, channels]
  double steps = 0;  ///< of the weights' symmetric grid on either side of zero: 127 for 8 bits
};

/// Per channel, the factor s that weights are multiplied with and the input is divided by (a W = (a / s)(s W)), so that
/// less is lost where both are rounded: the input to 255 steps over the range of a run's own numbers, the weights to
/// one scale per output. For errors that are uniform and independent, the squared error at the products' outputs is
///
///   mean over runs of (max above/s + max below/s)^2 / (12 255^2)  x  sum over channels of s^2 |weights of the
///   channel|^2
///   + sum over outputs of (max s |weight|)^2 / (12 steps^2)       x  sum over channels of mean_square / s^2
///
/// It is a convex function of log s (sums, products and maxima of exponentials), and is minimised by subgradient steps
/// from the best of the factors max |a|^alpha / |w|^beta of SmoothQuant (Xiao et al. 2023). The factors' geometric mean
/// is 1. Channels never seen to differ from zero keep their scale.
struct Equalization {
  std::vector<float> factors;
  double gain = 1;         ///< the squared error expected, over that of factors 1
  double input_share = 0;  ///< of that error with factors 1: what the rounded input makes, not the weights
};
Equalization equalize(const InputExtremes& input, const std::vector<InputReader>& readers);

}  // namespace mpq::quant
