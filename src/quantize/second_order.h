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

/// Weights rounded, and what is left of each row: |R e|^2 for the factor R of the damped Gram.
struct RoundedRows {
  Matrix integers;  ///< as floats
  Eigen::VectorXf objective;
};

/// Columns by rising diagonal; equal ones in their own order, so that nothing depends on the sort.
std::vector<Eigen::Index> by_energy(const DoubleMatrix& gram);

/// A damped Gram and its Cholesky factor, in the order its inputs are rounded: the second-order view of a layer's
/// inputs. In units of the Gram's mean diagonal, for Grams span 1e-20..1.
///
/// GPTQ (Frantar et al. 2022) rounds column by column and moves the rounding error into the columns still free, by the
/// inverse of the Gram. The same integers come out of the Gram's own factor: with gram = R'R and columns taken from
/// the last to the first, |R e|^2 is minimised greedily by q_k = round(w_k + sum_{j>k} R_kj e_j / R_kk): Babai's
/// nearest plane (Chen et al. 2025). No inverse is formed.
class SecondOrder {
 public:
  /// `damping`: added to the diagonal, in units of its mean.
  SecondOrder(const DoubleMatrix& gram, double damping) : SecondOrder(gram, damping, by_energy(gram)) {}
  /// `order`: columns in the order of their places, the last place rounded first.
  SecondOrder(const DoubleMatrix& gram, double damping, std::vector<Eigen::Index> order);

  /// False for a Gram of zeros, or one that no damping makes positive definite: round to nearest then.
  bool valid() const { return valid_; }

  /// GPTQ: inputs of most energy first ("act-order"), blocked by 128 columns.
  RoundedRows round(const GridProblem& problem) const;

  /// Coordinate descent on tr(E gram E') from `integers` (COMQ 2024, for fixed scales): every integer in turn moves to
  /// the best one while all others stay; never worse. Returns how many moved.
  std::size_t descend(const GridProblem& problem, int sweeps, Matrix& integers) const;

  const Matrix& gram() const { return gram_; }
  /// R by places: only what stands on and above the diagonal means anything.
  const Matrix& upper() const { return upper_; }
  const std::vector<Eigen::Index>& order() const { return order_; }

 private:
  bool valid_ = false;
  std::vector<Eigen::Index> order_;  ///< column of the Gram at each place; the last place is rounded first
  Matrix upper_;                     ///< R with R'R = the damped Gram; what stands below the diagonal means nothing
  Matrix gram_;                      ///< damped, columns as they are
};

/// Rounded to nearest, ties to even.
Matrix round_to_nearest(const GridProblem& problem);

/// integers * scales - weights.
Matrix rounding_error(const GridProblem& problem, const Matrix& integers);

}  // namespace mpq::quant
