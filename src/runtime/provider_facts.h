#pragma once

#include <string>

#include "runtime/session.h"

namespace mpq::runtime {

/// Where the library of "openvino" or "webgpu" lies; without this call, and for an empty path, the environment
/// variables MPQ_OPENVINO_LIBRARY and MPQ_WEBGPU_LIBRARY say it. Before its first use only.
void use_provider_library(const std::string& provider, const std::string& path);

/// What computes such a session: "OpenVINO 1.8.1", "ONNX Runtime 1.32.0". Once one has been made.
std::string provider_description(const SessionOptions& options);

}  // namespace mpq::runtime
