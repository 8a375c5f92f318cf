// A provider library that stands before a plugin provider and shows it a device that the plugin would not see or take.
//
// OpenVINO computes on x86 processors of all makers, but its provider offers only Intel's (ONNX Runtime pull request
// 31981 asks to lift that); WebGPU computes on a Vulkan driver in software, but its provider looks for a GPU that the
// operating system lists. With this library in between, the tests run the real providers wherever they run.
//
// Compiled once for each: MPQ_PLUGIN_VARIABLE is the environment variable that names the plugin, MPQ_DEVICE_* what it
// is shown.

#include <cstdint>
#include <cstdlib>
#include <dlfcn.h>
#include <vector>

#include <onnxruntime_c_api.h>

namespace {

using CreateFactories = OrtStatus* (*)(const char*, const OrtApiBase*, const OrtLogger*, OrtEpFactory**, std::size_t,
                                       std::size_t*);
using ReleaseFactory = OrtStatus* (*)(OrtEpFactory*);

const OrtApi* api = nullptr;
decltype(OrtEpFactory::GetSupportedDevices) plugin_devices = nullptr;

template <typename Function>
Function from_plugin(const char* name) {
  const char* path = std::getenv(MPQ_PLUGIN_VARIABLE);
  static void* const library = path == nullptr ? nullptr : dlopen(path, RTLD_NOW | RTLD_LOCAL);
  return library == nullptr ? nullptr : reinterpret_cast<Function>(dlsym(library, name));
}

OrtStatus* ORT_API_CALL shown_device(OrtEpFactory* factory, const OrtHardwareDevice* const*, std::size_t,
                                     OrtEpDevice** offered, std::size_t most, std::size_t* offered_count) noexcept {
  OrtHardwareDevice* device = nullptr;  // lives as long as the process, as the runtime's own do
  OrtStatus* status = api->GetEpApi()->CreateHardwareDevice(MPQ_DEVICE_TYPE, MPQ_DEVICE_VENDOR, 0,
                                                            MPQ_DEVICE_VENDOR_NAME, nullptr, &device);
  if (status != nullptr) return status;
  const std::vector<const OrtHardwareDevice*> shown = {device};
  return plugin_devices(factory, shown.data(), shown.size(), offered, most, offered_count);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) OrtStatus* CreateEpFactories(const char* name, const OrtApiBase* base,
                                                                               const OrtLogger* logger,
                                                                               OrtEpFactory** factories,
                                                                               std::size_t most, std::size_t* count) {
  api = base->GetApi(ORT_API_VERSION);
  const auto create = from_plugin<CreateFactories>("CreateEpFactories");
  if (create == nullptr) return api->CreateStatus(ORT_FAIL, MPQ_PLUGIN_VARIABLE " names no provider library.");
  if (OrtStatus* status = create(name, base, logger, factories, most, count)) return status;
  for (std::size_t i = 0; i < *count; ++i) {
    plugin_devices = factories[i]->GetSupportedDevices;
    factories[i]->GetSupportedDevices = shown_device;
  }
  return nullptr;
}

extern "C" __attribute__((visibility("default"))) OrtStatus* ReleaseEpFactory(OrtEpFactory* factory) {
  return from_plugin<ReleaseFactory>("ReleaseEpFactory")(factory);
}
