#pragma once

#include <string>

#include "runtime/session.h"

namespace mpq::runtime {

/// Where the OpenVINO plugin provider lies (libonnxruntime_providers_openvino_plugin.so); without this call the
/// environment variable MPQ_OPENVINO_LIBRARY says it. Before its first use only.
void use_openvino_library(const std::string& path);

/// What computes such a session: "OpenVINO 1.8.1", "ONNX Runtime 1.32.0". Once one has been made.
std::string provider_description(const SessionOptions& options);

}  // namespace mpq::runtime
