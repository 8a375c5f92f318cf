#pragma once

#include <string>

#include <onnxruntime_cxx_api.h>

#include "runtime/session.h"

namespace mpq::runtime {

/// What `options` asks for, in the runtime's terms: threads, memory, provider. Throws Ort::Exception for a provider
/// that is not there, and Error{kUnsupported} with the cure where mpq knows it.
Ort::SessionOptions to_ort(const SessionOptions& options);

/// The WebGPU provider crashes when two of its sessions are used at the same time: they take turns.
bool takes_turns(const std::string& provider);

}  // namespace mpq::runtime
