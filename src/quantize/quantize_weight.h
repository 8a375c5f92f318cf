#pragma once

#include <span>

#include "quantize/grid.h"

namespace mpq::quant {

/// Weights as `candidate` (grid or trellis) stores them, rounded to nearest.
QuantizedTensor quantize_weight(std::span<const float> weight, const Layer& layer, const Candidate& candidate,
                                ScaleFit fit = ScaleFit::kMse, int threads = 1);

}  // namespace mpq::quant
