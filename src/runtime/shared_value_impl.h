#pragma once

#include <onnxruntime_cxx_api.h>

#include "runtime/shared_value.h"

namespace mpq::runtime {

/// The runtime's value, and the tensor whose bytes it views when a caller gave it.
struct SharedValue::Impl {
  Tensor viewed;
  Ort::Value value{nullptr};
};

}  // namespace mpq::runtime
