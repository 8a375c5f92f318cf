#pragma once

#include <span>

#include "quantize/grid.h"

namespace mpq::quant {

/// Stores a weight by a codebook: every row (output channel) has a scale, and the whole layer 2^b integers of 8 bits,
/// free to lie where the weights are. Entries and scales minimise the sum of importance x (w - entry x scale)^2 by
/// turns: the entries exactly for given scales (best_entries), the scales by least squares for given entries. Weights
/// are rounded to the nearest entry with the scales as they are stored. `importances`: one per weight, in C order, for
/// example the diagonal of the Gram of the layer's inputs; empty: all alike. Errors as quantize_grid.
QuantizedTensor quantize_codebook(std::span<const float> weight, const Layer& layer, const Candidate& candidate,
                                  std::span<const float> importances = {});

/// The plain grid of the candidate's width as a codebook: its integers are the entries.
QuantizedTensor codebook_of_grid(std::span<const float> weight, const Layer& layer, const Candidate& candidate,
                                 ScaleFit fit);

/// Weights as `candidate` (grid or codebook) stores them, rounded to nearest.
QuantizedTensor quantize_weight(std::span<const float> weight, const Layer& layer, const Candidate& candidate,
                                ScaleFit fit = ScaleFit::kMse, int threads = 1);

}  // namespace mpq::quant
