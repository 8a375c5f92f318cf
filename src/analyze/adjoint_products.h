#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "analyze/experiment.h"
#include "analyze/stored_weights.h"

namespace mpq::perturb {

/// What the candidates of one layer change: E[candidate] = stored weight - weight, in C order.
using WeightErrors = std::vector<std::vector<float>>;

/// Weight errors, kept up to a limit and made again beyond it. Thread safe once prepared.
class ErrorCache {
 public:
  ErrorCache(const Experiment& experiment, StoredWeights& stored, std::int64_t limit_bytes)
      : experiment_(experiment), stored_(stored), left_bytes_(limit_bytes), kept_(experiment.tasks.size()) {}

  /// Fits the grids of the task's candidates, and keeps its errors when they fit into what is left of the limit.
  /// Called in the order of the tasks, so that what is kept does not depend on threads.
  void prepare(std::size_t task);
  std::shared_ptr<const WeightErrors> get(std::size_t task) const;

 private:
  WeightErrors make(std::size_t task) const;

  const Experiment& experiment_;
  StoredWeights& stored_;
  std::int64_t left_bytes_;
  std::vector<std::shared_ptr<const WeightErrors>> kept_;
};

/// <G_r, E_c> of one trial, [candidate][probe].
class Products {
 public:
  Products(const WeightErrors& errors, std::int64_t probes)
      : errors_(errors), values_(errors.size(), std::vector<double>(static_cast<std::size_t>(probes), 0.0)) {}

  /// Adds <G_r, E_c> for G [probes, weights].
  void add_dense(const Tensor& adjoint);
  /// Adds sum over i of <g_r[i], E_c[indices[i]]>: the adjoint of a table by the rows that were looked up.
  void add_gathered(const Tensor& adjoint, const Tensor& indices, std::int64_t table_rows);
  /// Mean over probes of the squares: the damage to second order, squared per sample (Hutchinson 1989).
  std::vector<double> mean_squares() const;

 private:
  const WeightErrors& errors_;
  std::vector<std::vector<double>> values_;
};

}  // namespace mpq::perturb
