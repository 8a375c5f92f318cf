#pragma once

#include "mpq/model.h"
#include "mpq/samples.h"

namespace mpq::runtime {

/// The tensor `feed` has for `input`. Throws Error{kInvalidInput} when it is missing or its type, rank or a fixed
/// extent differs from what the model declares, and Error{kUnsupported} when the input is nothing a Tensor can hold.
const Tensor& fed_tensor(const ValueInfo& input, const Feed& feed);

/// "float32 [1, 3, H, ?]".
std::string to_text(const ValueInfo& info);
std::string to_text(const Tensor& tensor);

}  // namespace mpq::runtime
