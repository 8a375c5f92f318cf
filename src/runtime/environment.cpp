#include "runtime/environment.h"

#include <string>

#include "mpq/error.h"

#include "runtime/session.h"

namespace mpq::runtime {
namespace {

void ORT_API_CALL swallow(void*, OrtLoggingLevel, const char*, const char*, const char*, const char*) {}

Ort::Env make_environment() {
  // Ort::GetApi() would be a null pointer; the runtime only ever adds to its API.
  if (OrtGetApiBase()->GetApi(ORT_API_VERSION) == nullptr) {
    throw Error(ErrorCode::kUnsupported,
                "ONNX Runtime " + runtime_version() + " is too old: mpq was built for API version " +
                    std::to_string(ORT_API_VERSION) + ", which it does not have.",
                "ONNX Runtime", "Install the version mpq was built with, or a newer one.");
  }
  Ort::Env env(ORT_LOGGING_LEVEL_ERROR, "mpq", swallow, nullptr);
  env.DisableTelemetryEvents();
  return env;
}

}  // namespace

Ort::Env& environment() {
  static Ort::Env env = make_environment();
  return env;
}

const Ort::MemoryInfo& our_memory() {
  static const Ort::MemoryInfo info = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
  return info;
}

std::string runtime_version() { return OrtGetApiBase()->GetVersionString(); }

}  // namespace mpq::runtime
