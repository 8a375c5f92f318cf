#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <Eigen/Core>

#include "quantize/weight_matrix.h"

namespace mpq::quant {

/// Second-order statistics of the inputs of one group of channels: what the damage of a changed weight matrix at its
/// own output depends on. For E = changed - original: sum over the rows x of |E x|^2 = tr(E gram E').
struct Moments2 {
  explicit Moments2(std::size_t columns = 0);
  Matrix gram;          ///< sum of x x'
  Eigen::VectorXd sum;  ///< sum of x
  double count = 0;     ///< rows seen

  void operator+=(const Moments2& other);
  Eigen::VectorXd mean() const;
  /// sum of (x - mean)(x - mean)': what remains of the Gram when a constant error is corrected in the bias.
  Matrix centred() const;
};

/// What was captured of a layer's inputs, split into the rows weights are fitted to and the rows choices are judged on.
/// Damage on the fitting rows says nothing: with few samples GPTQ lowers it at will and is worse elsewhere.
struct InputStatistics {
  std::vector<Moments2> fit;       ///< per group
  std::vector<Moments2> held_out;  ///< per group

  InputStatistics() = default;
  InputStatistics(std::size_t groups, std::size_t columns)
      : fit(groups, Moments2(columns)), held_out(groups, Moments2(columns)) {}
  bool usable() const;

  /// Adds rows [count, columns] (C order) of one group.
  void add(std::size_t group, bool to_fit, std::span<const float> rows, std::size_t count);
};

/// Sum over the rows of |E x - shift|^2.
double output_error(const Matrix& error, const Moments2& inputs, const Eigen::VectorXd* shift = nullptr);

}  // namespace mpq::quant
