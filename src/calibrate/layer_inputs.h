#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "mpq/model.h"

#include "calibrate/patches.h"
#include "graph/cut.h"
#include "quantize/weight_matrix.h"

namespace mpq::calibrate {

/// One node that multiplies its input with a layer's weight, and where the rows of that input lie.
struct InputUse {
  enum class Kind {
    kRows,          ///< [..., inputs]: MatMul, Gemm, recurrent layers
    kColumns,       ///< [..., inputs, n]: the right operand of weight x input, or Gemm with transA
    kConv,          ///< [batch, channels, spatial...]
    kState,         ///< [time, directions, batch, inputs]: outputs of a recurrent layer, its own inputs one step later
    kInitialState,  ///< [directions, batch, inputs]
  };
  std::string activation;
  Kind kind = Kind::kRows;
  ConvGeometry conv;
  bool last_direction_reversed = false;  ///< of kState: that direction runs from the last step to the first
  bool operator==(const InputUse&) const = default;
};

/// What is known of a layer that can be rounded to second order.
struct LayerInputs {
  std::size_t layer = 0;
  quant::MatrixView view;
  std::vector<InputUse> uses;
  /// A constant bias of one number per output that only this layer's node (or the Add behind it) reads; "" for none.
  std::string bias;
};

/// Follows the weight of `layer` to the nodes that multiply with it. Empty where its inputs cannot be captured or do
/// not form rows: bodies of If and Loop, tables, batched products.
/// Transposed convolutions: every pixel is a row for all taps; that neighbouring outputs overlap is left out. The reset
/// gate of a GRU, between state and weight, is too.
std::optional<LayerInputs> layer_inputs(const Model& model, const graph::RunForm& form, std::size_t layer);

}  // namespace mpq::calibrate
