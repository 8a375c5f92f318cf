#pragma once

#include <string>
#include <vector>

#include "quantize/grid.h"
#include "quantize/input_statistics.h"
#include "quantize/rounding_method.h"
#include "quantize/rounding_target.h"

namespace mpq::quant {

/// A layer's weights as they are to be written.
struct LayerRounding {
  QuantizedTensor numbers;
  RoundingMethod method;
  /// Per output (group-major), what the rounding adds on average to the layer's output; empty where nothing is to be
  /// corrected. The bias to be written is the old one less this.
  std::vector<float> mean_error;
  double nearest_error = 0;  ///< of rounding to nearest, on the held-out rows
  double chosen_error = 0;   ///< of the method chosen, on the held-out rows; with drift both lack the same constant

  /// Held-out error of the method chosen, over nearest's.
  double ratio() const { return nearest_error > 0 ? chosen_error / nearest_error : 1; }
};

/// Tries every method on the fitting rows and keeps the one that errs least on the held-out rows at the layer's own
/// output, with what it made of the fitting rows. Second-order is GPTQ, polished by coordinate descent. The usual
/// damping of 1 % overfits small calibration sets: from 10 % it goes up or down as long as the held-out error falls.
/// Where the inputs drift, the weights to be rounded may be those that answer the drifted inputs best
/// (rounding_target). The form of the grid and all bytes stay those of quantize_weight.
LayerRounding choose_rounding(const RoundingTask& task, const InputStatistics& inputs);

/// The same without the numbers.
LayerRounding choose_method(const RoundingTask& task, const InputStatistics& inputs);

/// Rounds where the inputs seen are made up: second-order, by data_free_gram of all rows.
LayerRounding round_data_free(const RoundingTask& task, const InputStatistics& inputs, double trust);

/// Rounds by a method chosen before, with all rows.
LayerRounding round_layer(const RoundingTask& task, const InputStatistics& inputs, const RoundingMethod& method);

}  // namespace mpq::quant
