#include "runtime/providers.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "mpq/error.h"

#include "runtime/environment.h"
#include "runtime/provider_facts.h"

namespace mpq::runtime {
namespace {

constexpr const char* kOpenVinoProvider = "OpenVINOExecutionProvider";

std::string& openvino_path() {
  static std::string path;
  return path;
}

std::string openvino_library() {
  if (!openvino_path().empty()) return openvino_path();
  const char* path = std::getenv("MPQ_OPENVINO_LIBRARY");
  return path != nullptr ? path : "";
}

/// Loads the plugin once per process; a second call does nothing.
void register_openvino() {
  static std::mutex mutex;
  static bool is_registered = false;
  const std::lock_guard lock(mutex);
  if (is_registered) return;
  const std::string path = openvino_library();
  if (path.empty()) {
    throw Error(ErrorCode::kUnsupported, "The library of the OpenVINO provider is not named.", "openvino",
                "Install the Python package onnxruntime-ep-openvino and name its "
                "libonnxruntime_providers_openvino_plugin.so with --openvino-library or MPQ_OPENVINO_LIBRARY.");
  }
  environment().RegisterExecutionProviderLibrary("openvino", path);
  is_registered = true;
}

OrtHardwareDeviceType hardware_type(const std::string& device) {
  if (device == "gpu") return OrtHardwareDeviceType_GPU;
  if (device == "npu") return OrtHardwareDeviceType_NPU;
  return OrtHardwareDeviceType_CPU;
}

Ort::ConstEpDevice openvino_device(const std::string& device) {
  register_openvino();
  for (const Ort::ConstEpDevice& candidate : environment().GetEpDevices()) {
    if (candidate.EpName() == std::string(kOpenVinoProvider) && candidate.Device().Type() == hardware_type(device)) {
      return candidate;
    }
  }
  throw Error(ErrorCode::kUnsupported, "OpenVINO has no device \"" + device + "\" on this machine.", "openvino",
              "Its devices are cpu, gpu and npu, as the machine has them.");
}

/// Threads and precision reach this provider through its own configuration alone.
void append_openvino(Ort::SessionOptions& ort, const SessionOptions& options) {
  const Ort::ConstEpDevice device = openvino_device(options.device);
  std::unordered_map<std::string, std::string> settings;
  if (hardware_type(options.device) == OrtHardwareDeviceType_CPU) {
    const std::string precision = options.precision == "bfloat16" ? "bf16" : "f32";
    settings["load_config"] = R"({"CPU": {"INFERENCE_NUM_THREADS": ")" + std::to_string(options.threads) +
                              R"(", "INFERENCE_PRECISION_HINT": ")" + precision +
                              R"(", "NUM_STREAMS": "1", "ENABLE_CPU_PINNING": "NO"}})";
  }
  ort.AppendExecutionProvider_V2(environment(), {device}, settings);
}

void append_cuda(Ort::SessionOptions& ort, const SessionOptions& options) {
  OrtCUDAProviderOptions cuda;
  cuda.device_id = options.device.empty() ? 0 : std::stoi(options.device);
  ort.AppendExecutionProvider_CUDA(cuda);
}

void append_provider(Ort::SessionOptions& ort, const SessionOptions& options) {
  if (options.provider == "openvino") append_openvino(ort, options);
  if (options.provider == "webgpu") ort.AppendExecutionProvider("WebGPU", {});
  if (options.provider == "cuda") append_cuda(ort, options);
}

/// "2;4": the runtime counts cores from 1, and its first thread is the caller's.
std::string affinities(const std::vector<int>& cores) {
  std::string text;
  for (std::size_t i = 1; i < cores.size(); ++i) text += (i > 1 ? ";" : "") + std::to_string(cores[i] + 1);
  return text;
}

void set_threads(Ort::SessionOptions& ort, const SessionOptions& options) {
  ort.SetIntraOpNumThreads(options.threads);
  ort.SetInterOpNumThreads(1);
  ort.SetExecutionMode(ORT_SEQUENTIAL);
  const bool pinned = options.cores.size() > 1 && options.cores.size() == static_cast<std::size_t>(options.threads);
  if (pinned) ort.AddConfigEntry("session.intra_op_thread_affinities", affinities(options.cores).c_str());
  // Threads that spin while they wait steal the cores of the sessions beside them; between runs nobody may.
  ort.AddConfigEntry("session.intra_op.allow_spinning", options.fast ? "1" : "0");
  ort.AddConfigEntry("session.inter_op.allow_spinning", "0");
  ort.AddConfigEntry("session.force_spinning_stop", "1");
}

/// Activations live in the arena all sessions share (environment.cpp). A memory pattern would ask it for one block of
/// a size of its own per session. Weights stay outside of it and go back to the system with their session.
void share_memory(Ort::SessionOptions& ort) {
  ort.AddConfigEntry("session.use_env_allocators", "1");
  ort.AddConfigEntry("session.use_device_allocator_for_initializers", "1");
  ort.DisableMemPattern();
}

/// Leaves the graph the runtime made of the model and the profile of its runs where the options say.
void keep_traces(Ort::SessionOptions& ort, const SessionOptions& options) {
  if (!options.optimized_model_path.empty()) {
    ort.SetOptimizedModelFilePath(options.optimized_model_path.c_str());
    ort.AddConfigEntry("session.optimized_model_external_initializers_file_name", "optimized.weights");
    ort.AddConfigEntry("session.optimized_model_external_initializers_min_size_in_bytes", "1024");
  }
  if (!options.profile_prefix.empty()) ort.EnableProfiling(options.profile_prefix.c_str());
}

}  // namespace

Ort::SessionOptions to_ort(const SessionOptions& options) {
  Ort::SessionOptions ort;
  ort.SetGraphOptimizationLevel(static_cast<GraphOptimizationLevel>(options.optimization_level));
  ort.SetDeterministicCompute(true);
  ort.SetLogSeverityLevel(ORT_LOGGING_LEVEL_ERROR);
  set_threads(ort, options);
  if (!options.fast) share_memory(ort);
  keep_traces(ort, options);
  append_provider(ort, options);
  // What a provider cannot run is an answer, and no work for the processor of another.
  if (options.provider != "cpu") ort.AddConfigEntry("session.disable_cpu_ep_fallback", "1");
  return ort;
}

bool takes_turns(const std::string& provider) { return provider == "webgpu"; }

void use_openvino_library(const std::string& path) { openvino_path() = path; }

std::string provider_description(const SessionOptions& options) {
  const std::string runtime = "ONNX Runtime " + runtime_version();
  if (options.provider == "webgpu") return "WebGPU of " + runtime;
  if (options.provider == "cuda") return "CUDA of " + runtime;
  if (options.provider != "openvino") return runtime;
  const char* version = openvino_device(options.device).EpMetadata().GetValue("version");
  return version != nullptr ? std::string("OpenVINO provider ") + version : "OpenVINO provider";
}

}  // namespace mpq::runtime
