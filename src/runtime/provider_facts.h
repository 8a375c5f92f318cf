#pragma once

#include <string>

#include "runtime/session.h"

namespace mpq::runtime {

/// Where the OpenVINO plugin provider lies (libonnxruntime_providers_openvino_plugin.so). Before its first use only.
void use_openvino_library(const std::string& path);

struct ProviderFacts {
  std::string absent;       ///< one sentence why it cannot be used; empty when it can
  std::string description;  ///< version and device
};

/// Looks whether a session with these options can be made, by making a tiny one.
ProviderFacts provider_facts(const SessionOptions& options);

}  // namespace mpq::runtime
