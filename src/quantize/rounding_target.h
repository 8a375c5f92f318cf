#pragma once

#include <span>
#include <vector>

#include "mpq/layer.h"

#include "quantize/grid.h"
#include "quantize/input_statistics.h"
#include "quantize/weight_matrix.h"

namespace mpq::quant {

/// What to round, and on which grid.
struct RoundingTask {
  std::span<const float> weight;
  const Layer& layer;
  Candidate candidate;
  ScaleFit fit = ScaleFit::kMse;
  MatrixView view;
  bool has_bias = false;     ///< a bias can take up the mean error at no cost
  bool fits_scales = false;  ///< rows may take other scales than `fit` finds, where they err less so
};

/// The weights to be rounded and grids for them, group by group.
struct RoundingTarget {
  QuantizedTensor grid;        ///< the weights rounded to nearest, scales fitted as the task says
  std::vector<Matrix> aims;    ///< the weights
  std::vector<Matrix> scales;  ///< of `grid`, one per weight
  std::vector<Matrix> widest;  ///< those that clip nothing; empty where rows cannot choose theirs: on a
                               ///< trellis, and where a scale serves several
  std::vector<std::vector<std::uint8_t>> widths;  ///< [group][row]
};

/// One group's integers (as floats), and the scale of each weight.
struct RoundedGroup {
  Matrix integers, scales;
};

std::vector<Matrix> matrices_of(std::span<const float> tensor, const MatrixView& view);

/// `correction` above 0: the weights become those that answer the inputs as they arrive now as `weights` answered them
/// before (Qronos 2025): W* = W - W C' (H + correction I)^-1 with H = sum x x' in units of its mean diagonal and
/// C = sum x d'.
RoundingTarget rounding_target(const RoundingTask& task, const std::vector<Matrix>& weights,
                               const std::vector<Moments2>& inputs, double correction);

/// Puts integers and the scales of their weights into the target's grid. What a runtime would compute as infinity takes
/// a step back, as in quantize_grid.
void store(const RoundingTask& task, const std::vector<RoundedGroup>& groups, QuantizedTensor& grid);

}  // namespace mpq::quant
