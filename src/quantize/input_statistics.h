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
  explicit Moments2(std::size_t columns = 0, bool drifts = false);
  DoubleMatrix gram;    ///< sum of x x'
  Eigen::VectorXd sum;  ///< sum of x
  double count = 0;     ///< rows seen

  /// Where layers before this one are quantized already: x is what they deliver, and d = x minus what they delivered
  /// before. Empty without drift.
  DoubleMatrix cross;     ///< sum of x d'
  Eigen::VectorXd drift;  ///< sum of d
  bool drifts() const { return drift.size() > 0; }

  void operator+=(const Moments2& other);
  Eigen::VectorXd mean() const;
  /// sum of (x - mean)(x - mean)': what remains of the Gram when a constant error is corrected in the bias.
  DoubleMatrix centred() const;
  DoubleMatrix centred_cross() const;
};

/// What was captured of a layer's inputs, split into the rows weights are fitted to and the rows choices are judged on.
/// Damage on the fitting rows says nothing: with few samples GPTQ lowers it at will and is worse elsewhere.
struct InputStatistics {
  std::vector<Moments2> fit;       ///< per group
  std::vector<Moments2> held_out;  ///< per group

  InputStatistics() = default;
  InputStatistics(std::size_t groups, std::size_t columns, bool drifts = false)
      : fit(groups, Moments2(columns, drifts)), held_out(groups, Moments2(columns, drifts)) {}
  bool usable() const;

  /// Adds rows [count, columns] (C order) of one group; `original`: the same rows before anything was quantized, where
  /// the statistics drift. The result does not depend on `threads`.
  void add(std::size_t group, bool to_fit, std::span<const float> rows, std::size_t count,
           std::span<const float> original = {}, int threads = 1);
};

/// Collects rows until there are enough for products that pay: every product is added to a Gram in double precision,
/// which for a few rows of many columns takes longer than the product.
class RowCollector {
 public:
  /// Refers to the statistics; `threads`: for each product.
  explicit RowCollector(InputStatistics& statistics, int threads = 1);

  std::size_t groups() const { return statistics_.fit.size(); }
  std::size_t columns() const { return groups() == 0 ? 0 : static_cast<std::size_t>(statistics_.fit[0].sum.size()); }
  bool drifts() const { return groups() > 0 && statistics_.fit[0].drifts(); }

  /// As InputStatistics::add.
  void add(std::size_t group, bool to_fit, std::span<const float> rows, std::size_t count,
           std::span<const float> original = {});
  /// What was collected is in the statistics only after this.
  void flush();

 private:
  struct Rows {
    std::vector<float> now, before;
  };
  void flush(std::size_t group, bool to_fit);

  InputStatistics& statistics_;
  int threads_;
  std::vector<Rows> fit_, held_out_;  ///< per group
};

/// The same in single precision, made for judging many roundings. Centred and rescaled, so that nothing cancels: Grams
/// span 1e-20..1, and inputs may lie far from zero.
class OutputError {
 public:
  explicit OutputError(const Moments2& inputs);
  /// Sum over the rows x of |E x - shift|^2 = tr(E covariance E') + count |E mean - shift|^2; an empty shift is 0.
  /// With drift the error at the output is E x + W d for the original weights W; the part of it that does not depend on
  /// E is left out.
  double of(const Matrix& error, const Matrix& weights, const Eigen::VectorXf& shift = {}) const;

 private:
  Matrix covariance_, cross_;
  Eigen::VectorXf mean_, drift_;
  double unit_ = 1, count_ = 0;
};

}  // namespace mpq::quant
