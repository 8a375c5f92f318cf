#pragma once

#include <string>

#include "mpq/model.h"
#include "mpq/tensor.h"

namespace mpq::data {

/// Which tensor a message speaks of: "sample 3 of the array 'image'".
struct Origin {
  std::string what;
  std::string where;  ///< file or folder
};

/// The tensor as `input` takes it: its type (see cast_faithfully), the model's fixed extents, finite numbers.
/// Throws Error{kInvalidInput} naming the origin, what was found and what the model expects.
Tensor fit(const Tensor& tensor, const ValueInfo& input, const Origin& origin);

/// "[3, 48, 320]"; unknown extents by their name or "?".
std::string shape_text(const std::vector<std::int64_t>& shape);
std::string shape_text(const ValueInfo& info);
/// "float32 [N, 3, 48, 320]".
std::string type_text(const ValueInfo& info);
/// "int64 array of shape [64, 128]"
std::string type_text(DType type, const std::vector<std::int64_t>& shape);

}  // namespace mpq::data
