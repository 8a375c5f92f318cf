#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "analyze/experiment.h"
#include "analyze/stored_weights.h"
#include "runtime/session.h"

namespace mpq::perturb {

/// What the candidates of one layer change: stored weight - weight, [candidates, weights].
class ErrorCache {
 public:
  ErrorCache(const Experiment& experiment, StoredWeights& stored, std::int64_t limit_bytes)
      : experiment_(experiment), stored_(stored), left_bytes_(limit_bytes), kept_(experiment.tasks.size()) {}

  /// Fits the grids of these tasks' candidates, and keeps their errors as long as they fit into what is left of the
  /// limit. Which are kept does not depend on threads.
  void prepare(const std::vector<std::size_t>& tasks);
  /// Kept, or made again. Thread safe.
  std::shared_ptr<const Tensor> get(std::size_t task) const;
  /// Of one candidate.
  std::vector<float> one(std::size_t task, std::size_t candidate, std::span<const float> weight) const;

 private:
  std::shared_ptr<const Tensor> make(std::size_t task) const;

  const Experiment& experiment_;
  StoredWeights& stored_;
  std::int64_t left_bytes_;
  std::vector<std::shared_ptr<const Tensor>> kept_;
};

/// <G, E> of one layer, by candidate, trial and probe.
class ProductTable {
 public:
  ProductTable(std::size_t candidates, std::size_t trials, std::size_t probes)
      : trials_(trials), probes_(probes), values_(candidates * trials * probes, 0.0) {}

  void add(std::size_t candidate, std::size_t trial, std::size_t probe, double product) {
    values_[(candidate * trials_ + trial) * probes_ + probe] += product;
  }
  /// Mean over probes of the squares: the damage to second order, squared per sample (Hutchinson 1989).
  double damage(std::size_t candidate, std::size_t trial) const;

 private:
  std::size_t trials_, probes_;
  std::vector<double> values_;
};

/// Products of many rows at once, by the runtime's matrix product: every error is read from memory once for all of
/// them.
class RowProducts {
 public:
  RowProducts();
  /// errors [candidates, weights], adjoints [rows, weights] -> [candidates, rows]
  Tensor operator()(const Tensor& errors, const Tensor& adjoints) const;

 private:
  runtime::Session session_;
};

/// sum over i of <adjoint[probe, i], error[indices[i]]>: the adjoint of a table by the rows that were looked up.
double gathered_product(const Tensor& adjoint, const Tensor& indices, std::span<const float> error,
                        std::int64_t table_rows, std::size_t probe);

}  // namespace mpq::perturb
