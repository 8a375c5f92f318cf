#pragma once

#include <cstdint>
#include <vector>

#include <Eigen/Core>

#include "quantize/rounding.h"
#include "quantize/weight_matrix.h"

namespace mpq::quant {

/// A weight matrix to be rounded on a given grid: element (r, k) becomes an integer times its scale.
struct GridProblem {
  Matrix weights;  ///< [rows, columns]; all magnitudes far from the ends of float's range
  Matrix scales;   ///< as large: scales may be shared along rows, blocks or anything else
  IntegerRange range{8};
};

/// The Cholesky factor of a damped Gram, in the order its inputs are rounded: the second-order view of a layer's
/// inputs that all layers reading the same input share.
///
/// GPTQ (Frantar et al. 2022) rounds column by column and moves the rounding error into the columns still free, by the
/// inverse of the Gram. The same integers come out of the Gram's own factor: with gram = R'R and columns taken from
/// the last to the first, |R e|^2 is minimised greedily by q_k = round(w_k + sum_{j>k} R_kj e_j / R_kk): Babai's
/// nearest plane (Chen et al. 2025). No inverse is formed.
class SecondOrderFactor {
 public:
  /// `damping`: added to the diagonal, in units of its mean. The Gram is rescaled first, for Grams span 1e-20..1.
  SecondOrderFactor(const DoubleMatrix& gram, double damping);

  /// False for a Gram of zeros, or one that no damping makes positive definite: round to nearest then.
  bool valid() const { return valid_; }

  /// GPTQ: inputs of most energy first ("act-order"), blocked by 128 columns. The integers, as floats.
  Matrix round(const GridProblem& problem) const;

 private:
  bool valid_ = false;
  std::vector<Eigen::Index> order_;  ///< column of the Gram at each place; the last place is rounded first
  Matrix upper_;                     ///< R with R'R = the damped Gram; what stands below the diagonal means nothing
};

/// Rounded to nearest, ties to even.
Matrix round_to_nearest(const GridProblem& problem);

/// Coordinate descent on tr(E gram E') from `integers` (COMQ 2024, for fixed scales): every integer in turn moves to
/// the best one while all others stay; never worse. Returns how many moved.
std::size_t descend(const GridProblem& problem, const DoubleMatrix& gram, int sweeps, Matrix& integers);

/// integers * scales - weights.
Matrix rounding_error(const GridProblem& problem, const Matrix& integers);

}  // namespace mpq::quant
