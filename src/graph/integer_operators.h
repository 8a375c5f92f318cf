#pragma once

#include <string>
#include <unordered_set>

#include "graph/model_impl.h"

namespace mpq::graph {

struct FloatOperators {
  int operators = 0;    ///< that computed on integers
  int activations = 0;  ///< that were rounded over their own range at every run, and no longer are
  std::unordered_set<std::string> perhaps_unread;
};

/// Writes operators that compute on integers as the float operators they stand for, between DequantizeLinear and
/// QuantizeLinear. Source: ONNX's operator specification and ONNX Runtime's of its contributed operators.
///
///     Before: QLinearConv(x, w, y's grid)            After: DequantizeLinear(x), (w) -> Conv -> QuantizeLinear(y's
///     grid) Before: a -> DynamicQuantizeLinear -> MatMulInteger(w) -> Cast -> Mul(scales)   After: a ->
///     MatMul(DequantizeLinear(w)) Before: MatMulNBits(a, w)                      After: a ->
///     MatMul(Transpose(DequantizeLinear(w)))
///
/// Operators it does not know, and those whose scales are not where ONNX Runtime's quantizer puts them, stay.
FloatOperators write_as_float_operators(Model::Impl& impl);

}  // namespace mpq::graph
