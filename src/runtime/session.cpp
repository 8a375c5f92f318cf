#include "runtime/session.h"

#include <algorithm>
#include <utility>

#include <onnxruntime_cxx_api.h>

#include "mpq/error.h"

#include "graph/model_impl.h"
#include "runtime/environment.h"
#include "runtime/failure.h"
#include "runtime/feed_check.h"
#include "runtime/loadable.h"
#include "runtime/values.h"

namespace mpq::runtime {
namespace {

Ort::SessionOptions to_ort(const SessionOptions& options) {
  Ort::SessionOptions ort;
  ort.SetIntraOpNumThreads(options.threads);
  ort.SetInterOpNumThreads(1);
  ort.SetExecutionMode(ORT_SEQUENTIAL);
  ort.SetGraphOptimizationLevel(static_cast<GraphOptimizationLevel>(options.optimization_level));
  ort.SetDeterministicCompute(true);
  ort.SetLogSeverityLevel(ORT_LOGGING_LEVEL_ERROR);
  // Waiting threads that spin steal the cores of the sessions beside them.
  ort.AddConfigEntry("session.intra_op.allow_spinning", "0");
  ort.AddConfigEntry("session.inter_op.allow_spinning", "0");
  // Activations live in the arena all sessions share (environment.cpp). A memory pattern would ask it for one block of
  // a size of its own per session. Weights stay outside of it and go back to the system with their session.
  ort.AddConfigEntry("session.use_env_allocators", "1");
  ort.AddConfigEntry("session.use_device_allocator_for_initializers", "1");
  ort.DisableMemPattern();
  return ort;
}

Ort::Value at(const Place& place) {
  return Ort::Value::CreateTensor<float>(our_memory(), place.data, static_cast<std::size_t>(element_count(place.shape)),
                                         place.shape.data(), place.shape.size());
}

}  // namespace

struct Session::Impl {
  Ort::Session session{nullptr};
  std::vector<ValueInfo> inputs, outputs;
  std::vector<std::string> output_names;
};

Session::Session(const onnx::ModelProto& skeleton, const graph::TensorStore& store, const SessionOptions& options)
    : impl_(std::make_unique<Impl>()) {
  Ort::Env& env = environment();
  try {
    const Loadable model = make_loadable(skeleton, store);
    Ort::SessionOptions ort = to_ort(options);
    if (!model.names.empty()) ort.AddExternalInitializers(model.names, model.values);
    impl_->session = Ort::Session(env, model.bytes.data(), model.bytes.size(), ort);
    Ort::AllocatorWithDefaultOptions allocator;
    for (std::size_t i = 0; i < impl_->session.GetInputCount(); ++i) {
      impl_->inputs.push_back(
          describe(impl_->session.GetInputNameAllocated(i, allocator).get(), impl_->session.GetInputTypeInfo(i)));
    }
    for (std::size_t i = 0; i < impl_->session.GetOutputCount(); ++i) {
      impl_->outputs.push_back(
          describe(impl_->session.GetOutputNameAllocated(i, allocator).get(), impl_->session.GetOutputTypeInfo(i)));
      impl_->output_names.push_back(impl_->outputs.back().name);
    }
  } catch (const Ort::Exception& failure) {
    throw translate(failure, "ONNX Runtime does not load the model", "");
  }
}

Session::Session(const Model& model, const SessionOptions& options)
    : Session(model.impl().proto, *model.impl().store, options) {}

Session::~Session() = default;
Session::Session(Session&&) noexcept = default;

const std::vector<ValueInfo>& Session::inputs() const { return impl_->inputs; }
const std::vector<ValueInfo>& Session::outputs() const { return impl_->outputs; }

std::vector<Tensor> Session::run(const Feed& feed) const { return run(feed, impl_->output_names); }

std::vector<Tensor> Session::run(const Feed& feed, const std::vector<std::string>& outputs) const {
  return run(feed, outputs, std::vector<Place>(outputs.size()));
}

std::vector<Tensor> Session::run(const Feed& feed, const std::vector<std::string>& outputs,
                                 const std::vector<Place>& places) const {
  std::vector<const char*> input_names, output_names;
  std::vector<Ort::Value> values;
  for (const ValueInfo& input : impl_->inputs) {
    values.push_back(view(fed_tensor(input, feed)));
    input_names.push_back(input.name.c_str());
  }
  for (const std::string& name : outputs) {
    if (std::find(impl_->output_names.begin(), impl_->output_names.end(), name) == impl_->output_names.end()) {
      throw Error(ErrorCode::kInvalidInput, "The model has no output named '" + name + "'.", name);
    }
    output_names.push_back(name.c_str());
  }
  std::vector<Tensor> results;
  try {
    std::vector<Ort::Value> out;
    for (const Place& place : places) out.push_back(place.data != nullptr ? at(place) : Ort::Value{nullptr});
    impl_->session.Run(Ort::RunOptions{nullptr}, input_names.data(), values.data(), values.size(), output_names.data(),
                       out.data(), out.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      results.push_back(places[i].data != nullptr ? Tensor() : take(out[i]));
    }
  } catch (const Ort::Exception& failure) {
    throw translate(failure, "ONNX Runtime stopped while it ran the model", "");
  }
  return results;
}

}  // namespace mpq::runtime
