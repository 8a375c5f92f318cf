#pragma once

#include <cstddef>

#include "mpq/tensor.h"

#include "calibrate/layer_inputs.h"
#include "quantize/input_statistics.h"

namespace mpq::calibrate {

/// Which half of the statistics a sample's rows belong to.
enum class Split { kFit, kHeldOut, kAlternate };

/// Adds the rows that `use` makes of one captured activation, evenly spaced ones where there are more than `most_rows`.
/// Returns false when the activation's shape does not fit the layer.
bool add_rows(const InputUse& use, const Tensor& activation, Split split, std::size_t most_rows,
              quant::InputStatistics& statistics);

}  // namespace mpq::calibrate
