#include "runtime/providers.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>

#include "mpq/error.h"

#include "runtime/environment.h"
#include "runtime/provider_facts.h"

namespace mpq::runtime {
namespace {

/// A provider that comes as a library of its own.
struct Plugin {
  const char* name;      ///< as in SessionOptions::provider
  const char* provider;  ///< the runtime's name for it
  const char* variable;  ///< of the environment, that names the library
  const char* cure;      ///< where the library comes from
  const char* devices;   ///< what it offers
};
constexpr Plugin kOpenVino = {"openvino", "OpenVINOExecutionProvider", "MPQ_OPENVINO_LIBRARY",
                              "Install the Python package onnxruntime-ep-openvino and name its "
                              "libonnxruntime_providers_openvino_plugin.so with --openvino-library or "
                              "MPQ_OPENVINO_LIBRARY.",
                              "It offers those of Intel alone: cpu, gpu and npu, as the machine has them."};
constexpr Plugin kWebGpu = {"webgpu", "WebGpuExecutionProvider", "MPQ_WEBGPU_LIBRARY",
                            "Install the Python package onnxruntime-ep-webgpu and name its "
                            "libonnxruntime_providers_webgpu.so with --webgpu-library or MPQ_WEBGPU_LIBRARY.",
                            "It needs a GPU that the operating system lists."};

std::map<std::string, std::string>& named_libraries() {
  static std::map<std::string, std::string> paths;
  return paths;
}

std::string library_of(const Plugin& plugin) {
  const auto named = named_libraries().find(plugin.name);
  if (named != named_libraries().end()) return named->second;
  const char* path = std::getenv(plugin.variable);
  return path != nullptr ? path : "";
}

/// Loads the plugin once per process; a second call does nothing.
void register_plugin(const Plugin& plugin) {
  static std::mutex mutex;
  static std::set<std::string> registered;
  const std::lock_guard lock(mutex);
  if (registered.count(plugin.name) > 0) return;
  const std::string path = library_of(plugin);
  if (path.empty()) {
    throw Error(ErrorCode::kUnsupported, std::string("The library of the provider ") + plugin.name + " is not named.",
                plugin.name, plugin.cure);
  }
  environment().RegisterExecutionProviderLibrary(plugin.name, path);
  registered.insert(plugin.name);
}

OrtHardwareDeviceType hardware_type(const std::string& device) {
  if (device == "gpu") return OrtHardwareDeviceType_GPU;
  if (device == "npu") return OrtHardwareDeviceType_NPU;
  return OrtHardwareDeviceType_CPU;
}

Ort::ConstEpDevice plugin_device(const Plugin& plugin, const std::string& device) {
  register_plugin(plugin);
  for (const Ort::ConstEpDevice& candidate : environment().GetEpDevices()) {
    if (candidate.EpName() == std::string(plugin.provider) && candidate.Device().Type() == hardware_type(device))
      return candidate;
  }
  throw Error(ErrorCode::kUnsupported,
              std::string("The provider ") + plugin.name + " has no device \"" + device + "\" on this machine.",
              plugin.name, plugin.devices);
}

/// Threads and precision reach this provider through its own configuration alone.
void append_openvino(Ort::SessionOptions& ort, const SessionOptions& options) {
  const Ort::ConstEpDevice device = plugin_device(kOpenVino, options.device);
  std::unordered_map<std::string, std::string> settings;
  if (hardware_type(options.device) == OrtHardwareDeviceType_CPU) {
    const std::string precision = options.precision == "bfloat16" ? "bf16" : "f32";
    settings["load_config"] = R"({"CPU": {"INFERENCE_NUM_THREADS": ")" + std::to_string(options.threads) +
                              R"(", "INFERENCE_PRECISION_HINT": ")" + precision +
                              R"(", "NUM_STREAMS": "1", "ENABLE_CPU_PINNING": "NO"}})";
  }
  ort.AppendExecutionProvider_V2(environment(), {device}, settings);
}

/// Some builds of the runtime hold the provider; for others it is a plugin.
void append_webgpu(Ort::SessionOptions& ort) {
  if (!library_of(kWebGpu).empty()) {
    ort.AppendExecutionProvider_V2(environment(), {plugin_device(kWebGpu, "gpu")}, Ort::KeyValuePairs{});
    return;
  }
  try {
    ort.AppendExecutionProvider("WebGPU", {});
  } catch (const Ort::Exception& error) {
    throw Error(ErrorCode::kUnsupported, error.what(), kWebGpu.name, kWebGpu.cure);
  }
}

void append_cuda(Ort::SessionOptions& ort, const SessionOptions& options) {
  OrtCUDAProviderOptions cuda;
  cuda.device_id = options.device.empty() ? 0 : std::stoi(options.device);
  ort.AppendExecutionProvider_CUDA(cuda);
}

void append_provider(Ort::SessionOptions& ort, const SessionOptions& options) {
  if (options.provider == "openvino") append_openvino(ort, options);
  if (options.provider == "webgpu") append_webgpu(ort);
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

void hold_little(Ort::SessionOptions& ort) {
  ort.DisableCpuMemArena();
  ort.DisableMemPattern();
  ort.AddConfigEntry("session.disable_prepacking", "1");
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
  if (options.lean) {
    hold_little(ort);
  } else if (!options.fast) {
    share_memory(ort);
  }
  keep_traces(ort, options);
  append_provider(ort, options);
  // What a provider cannot run is an answer, and no work for the processor of another.
  if (options.provider != "cpu") ort.AddConfigEntry("session.disable_cpu_ep_fallback", "1");
  return ort;
}

bool takes_turns(const std::string& provider) { return provider == "webgpu"; }

void use_provider_library(const std::string& provider, const std::string& path) {
  if (!path.empty()) named_libraries()[provider] = path;
}

std::string provider_description(const SessionOptions& options) {
  const std::string runtime = "ONNX Runtime " + runtime_version();
  const auto described = [](const std::string& name, const Plugin& plugin, const std::string& device) {
    const char* version = plugin_device(plugin, device).EpMetadata().GetValue("version");
    return name + " provider" + (version != nullptr ? std::string(" ") + version : "");
  };
  if (options.provider == "openvino") return described("OpenVINO", kOpenVino, options.device);
  if (options.provider == "webgpu" && !library_of(kWebGpu).empty()) return described("WebGPU", kWebGpu, "gpu");
  if (options.provider == "webgpu") return "WebGPU of " + runtime;
  return options.provider == "cuda" ? "CUDA of " + runtime : runtime;
}

}  // namespace mpq::runtime
