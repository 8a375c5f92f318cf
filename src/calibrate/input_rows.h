#pragma once

#include <cstddef>

#include "mpq/tensor.h"

#include "calibrate/layer_inputs.h"
#include "quantize/input_statistics.h"

namespace mpq::calibrate {

/// Which half of the statistics a sample's rows belong to.
enum class Split { kFit, kHeldOut, kAlternate };

/// Adds the rows that `use` makes of one captured activation, evenly spaced ones where there are more than `most_rows`.
/// Returns false when the activation's shape does not fit the layer. `original`: the activation before anything was
/// quantized, for statistics that drift; of another shape it tells nothing, and the rows count as not drifted.
bool add_rows(const InputUse& use, const Tensor& activation, Split split, std::size_t most_rows,
              quant::RowCollector& collector, const Tensor* original = nullptr);

}  // namespace mpq::calibrate
