#pragma once

#include <onnxruntime_cxx_api.h>

namespace mpq::runtime {

/// The process-wide ONNX Runtime environment, made on first use. Its log goes nowhere: what the user must know
/// reaches him through our exceptions. Throws Error{kUnsupported} when the library is older than our headers.
Ort::Env& environment();

/// Plain CPU memory that belongs to us: how our bytes are shown to the runtime.
const Ort::MemoryInfo& our_memory();

}  // namespace mpq::runtime
