#include "runtime/environment.h"

#include <string>

#include "mpq/error.h"

#include "runtime/session.h"

namespace mpq::runtime {
namespace {

void ORT_API_CALL swallow(void*, OrtLoggingLevel, const char*, const char*, const char*, const char*) {}

/// One arena for the activations of all sessions: the engine keeps dozens of sessions, of which only as many run at
/// once as there are workers. 54 sessions over planes of 26x26 to 344x344 kept 49 MB with it and 616 MB with an arena
/// each, at equal speed (54 equal ones: 3 instead of 128 MB). It grows by doubling, so that its blocks can be reused
/// for every size; growing by what is asked for kept 319 MB.
void share_one_arena(Ort::Env& env) {
  const Ort::ArenaCfg growth(0, -1, -1, -1);
  const auto arena = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  env.CreateAndRegisterAllocator(arena, growth);
}

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
  share_one_arena(env);
  return env;
}

}  // namespace

/// Never destroyed: when a process exits, the libraries that a plugin provider's threads live in may be gone before it
/// (OpenVINO's crashed so in its thread pool).
Ort::Env& environment() {
  static Ort::Env& env = *new Ort::Env(make_environment());
  return env;
}

const Ort::MemoryInfo& our_memory() {
  static const Ort::MemoryInfo info = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
  return info;
}

std::string runtime_version() { return OrtGetApiBase()->GetVersionString(); }

}  // namespace mpq::runtime
