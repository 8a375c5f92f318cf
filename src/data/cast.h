#pragma once

#include <cstdint>
#include <optional>

#include "mpq/tensor.h"

namespace mpq::data {

/// An element a cast cannot carry over: its position in C order.
struct CastLoss {
  std::int64_t element = 0;
};

/// The tensor as `to`, or nothing when that would change what it says.
///   floating -> floating: rounded to nearest; a finite number that would overflow is a loss
///   integer, bool -> any: only when every value is exactly representable (bool: 0 and 1)
///   floating -> integer or bool: never
/// `loss` receives the first element that does not fit; it is left empty when the types themselves do not go together.
std::optional<Tensor> cast_faithfully(const Tensor& tensor, DType to, std::optional<CastLoss>& loss);

bool is_floating(DType type);

/// Position of the first NaN or infinity of a floating tensor.
std::optional<std::int64_t> first_non_finite(const Tensor& tensor);

}  // namespace mpq::data
