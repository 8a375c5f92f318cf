#include "runtime/provider_facts.h"

#include <string>

#include <onnx/onnx_pb.h>
#include <onnxruntime_cxx_api.h>

#include "mpq/error.h"

#include "runtime/environment.h"

namespace mpq::runtime {
namespace {

void add_vector(onnx::ValueInfoProto& info, const std::string& name) {
  info.set_name(name);
  auto& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  type.mutable_shape()->add_dim()->set_dim_value(4);
}

/// y = x + x.
onnx::ModelProto tiny_model() {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  graph.set_name("tiny");
  add_vector(*graph.add_input(), "x");
  add_vector(*graph.add_output(), "y");
  onnx::NodeProto& node = *graph.add_node();
  node.set_op_type("Add");
  node.add_input("x");
  node.add_input("x");
  node.add_output("y");
  return model;
}

std::string with_hint(const Error& error) {
  return error.hint().empty() ? error.what() : std::string(error.what()) + " " + error.hint();
}

/// What the plugin says of itself: "OpenVINO 1.8.1, Intel".
std::string plugin_description(const std::string& provider) {
  for (const Ort::ConstEpDevice& device : environment().GetEpDevices()) {
    if (device.EpName() != provider + "ExecutionProvider") continue;
    const char* version = device.EpMetadata().GetValue("version");
    return provider + (version != nullptr ? std::string(" ") + version : "");
  }
  return provider;
}

std::string description(const SessionOptions& options) {
  if (options.provider == "openvino") return plugin_description("OpenVINO");
  if (options.provider == "webgpu") return "WebGPU of ONNX Runtime " + runtime_version();
  if (options.provider == "cuda") return "CUDA of ONNX Runtime " + runtime_version();
  return "ONNX Runtime " + runtime_version();
}

}  // namespace

ProviderFacts provider_facts(const SessionOptions& options) {
  ProviderFacts facts;
  try {
    const Session session(tiny_model(), {}, options);
    Tensor x(DType::kFloat32, {4});
    (void)session.run_values({SharedValue(x)});
    facts.description = description(options);
  } catch (const Error& error) {
    facts.absent = with_hint(error);
  } catch (const Ort::Exception& failure) {
    facts.absent = failure.what();
  }
  return facts;
}

}  // namespace mpq::runtime
