#pragma once

#include <cstddef>

#include "quantize/input_statistics.h"

namespace mpq::quant {

/// What the Gram of a layer's real inputs is taken for where only made-up ones were seen:
///
///     H = I + K + c 1 1' + trust G
///
/// G is the Gram of the made-up inputs in units of its mean diagonal, and `trust` how much it says of real ones. K has
/// ones between the `taps` neighbouring columns of one input channel (0 for one tap): neighbouring pixels are alike. c
/// is 1 where the channels go together (a mean correlation above 1/20, as behind a ReLU, which leaves no negative
/// inputs), else 0. Without G these are the terms of SQuant (Guo et al. 2022, equation 10): its element-, kernel- and
/// output-wise sums of the rounding errors. The identity bounds what a wrong G can do.
DoubleMatrix data_free_gram(const Moments2& inputs, std::size_t taps, double trust);

}  // namespace mpq::quant
