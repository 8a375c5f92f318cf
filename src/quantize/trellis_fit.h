#pragma once

#include <span>

#include "quantize/grid.h"

namespace mpq::quant {

/// Stores a weight by a trellis (trellis.h): every row (output channel) has a scale, and the whole layer 2^(b+1)
/// entries, integers of 8 bits. They begin as those of the best scalar codebook of as many (entry_fit.h) and are
/// moved, by turns with the path, to the mean of the weights that take them (Lloyd's algorithm), on pieces of the
/// layer; then the scales are fitted by least squares, and the path is found for the scales as they are stored.
/// Errors as quantize_grid.
QuantizedTensor quantize_trellis(std::span<const float> weight, const Layer& layer, const Candidate& candidate);

/// Scales under which no product with an entry reaches infinity in the layer's own type.
void keep_finite(const Layer& layer, std::span<const std::int8_t> entries, std::span<float> scales);

}  // namespace mpq::quant
