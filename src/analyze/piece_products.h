#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analyze/adjoint_products.h"
#include "analyze/cost.h"
#include "analyze/experiment.h"

namespace mpq::perturb {

/// What a batch of trials gave for one layer.
struct LayerAdjoints {
  Tensor dense;                               ///< [trials * probes, weights]; empty: none
  std::vector<std::vector<Tensor>> gathered;  ///< per part, twice: adjoint and indices of every trial of the batch
};

/// Adds <G, E> of every candidate of a layer in the trials `trials` (of the batch, in its order) to `products`. One
/// candidate's rounding error is in memory per worker, within `limit_bytes`; nothing is kept.
void add_products(const Experiment& experiment, std::size_t task, const LayerAdjoints& adjoints,
                  std::span<const std::size_t> trials, std::int64_t limit_bytes, CostMeter& cost,
                  ProductTable& products);

}  // namespace mpq::perturb
