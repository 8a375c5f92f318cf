#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "mpq/tensor.h"

namespace mpq {

inline Tensor floats(std::vector<std::int64_t> shape, const std::vector<float>& values) {
  Tensor tensor(DType::kFloat32, std::move(shape));
  std::copy(values.begin(), values.end(), tensor.as_mutable<float>().begin());
  return tensor;
}

/// A tensor of value(0), value(1), ...
inline Tensor made(std::vector<std::int64_t> shape, const std::function<double(double)>& value) {
  Tensor tensor(DType::kFloat32, std::move(shape));
  const auto out = tensor.as_mutable<float>();
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(value(static_cast<double>(i)));
  return tensor;
}

}  // namespace mpq
