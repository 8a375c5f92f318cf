#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "mpq/model.h"

#include "graph/fold_channels.h"

namespace mpq::graph {

/// A model in which more layers can run on integer kernels, computing the same up to rounding.
struct IntegerReady {
  static IntegerReady of(const Model& original);  ///< the model as it is
  Model model;
  /// Per layer of `model`: which of the original's layers it is. Layers have the same names, and the quantizable ones
  /// the same shapes.
  std::vector<std::size_t> originals;
  std::map<std::size_t, ChannelFold> folds;  ///< by layer of `model`
  bool is_original = true;                   ///< nothing was changed
};

/// Takes out what keeps integer kernels away: operator sets below 13, which have no scale per channel, and what stands
/// per channel between a convolution and its activation function (fold_channels). The original where it changes
/// nothing, where no layer could run on an integer kernel, or where ONNX's converter fails: models with bodies,
/// functions or several operator sets are not raised.
IntegerReady integer_ready(const Model& model);

}  // namespace mpq::graph
