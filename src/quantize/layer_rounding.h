#pragma once

#include <span>
#include <string>
#include <vector>

#include "mpq/layer.h"

#include "quantize/grid.h"
#include "quantize/input_statistics.h"
#include "quantize/weight_matrix.h"

namespace mpq::quant {

/// One way to turn a layer's weights into integers.
struct RoundingMethod {
  bool second_order = false;   ///< GPTQ and coordinate descent; else to nearest
  double damping = 0;          ///< of the Gram, in units of its mean diagonal
  double correction = 0;       ///< regularisation of the correction for layers before this one; 0 = none
  bool corrects_bias = false;  ///< the mean error goes into the bias, and GPTQ sees the centred Gram
  bool operator==(const RoundingMethod&) const = default;
};
/// "nearest", "second-order, damping 10 %, inputs corrected, bias corrected".
std::string to_string(const RoundingMethod& method);

/// How the entries of a codebook are found: those that err least on the weights themselves, or weighted by the energy
/// of the inputs, or those of the plain grid.
enum class EntryFit { kWeights, kInputs, kGrid };

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

/// What to round, and on which grid.
struct RoundingTask {
  std::span<const float> weight;
  const Layer& layer;
  Candidate candidate;
  ScaleFit fit = ScaleFit::kMse;
  MatrixView view;
  bool has_bias = false;  ///< a bias can take up the mean error at no cost
  EntryFit entries = EntryFit::kWeights;
};

/// Tries every method on the fitting rows, keeps the one that errs least on the held-out rows at the layer's own
/// output, and repeats it with all rows. Second-order is GPTQ, polished by coordinate descent. The usual damping of 1 %
/// overfits small calibration sets: from 10 % it goes up or down as long as the held-out error falls.
/// Where the inputs drift, the weights to be rounded may be those that answer the drifted inputs best (Qronos 2025):
/// W* = W - W C' (H + lambda I)^-1 with H = sum x x' and C = sum x d'. The grid's scales
/// stay those of quantize_grid, and so do all bytes.
/// A codebook is fitted in every way of EntryFit, and the one that errs least on the held-out rows is kept.
LayerRounding choose_rounding(const RoundingTask& task, const InputStatistics& inputs);

}  // namespace mpq::quant
