#include "runtime/session.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include <onnxruntime_cxx_api.h>

#include "mpq/error.h"

#include "graph/model_impl.h"
#include "runtime/environment.h"
#include "runtime/failure.h"
#include "runtime/feed_check.h"
#include "runtime/loadable.h"
#include "runtime/providers.h"
#include "runtime/shared_value_impl.h"
#include "runtime/values.h"

namespace mpq::runtime {

namespace {

using Clock = std::chrono::steady_clock;

/// Held while a session of a provider that takes turns is made, run or destroyed; empty for all others.
std::unique_lock<std::mutex> turn(const std::string& provider) {
  static std::mutex mutex;
  return takes_turns(provider) ? std::unique_lock(mutex) : std::unique_lock<std::mutex>();
}

std::vector<const char*> pointers(const std::vector<std::string>& names) {
  std::vector<const char*> result;
  for (const std::string& name : names) result.push_back(name.c_str());
  return result;
}

Ort::Value at(const Place& place) {
  return Ort::Value::CreateTensor<float>(our_memory(), place.data, static_cast<std::size_t>(element_count(place.shape)),
                                         place.shape.data(), place.shape.size());
}

}  // namespace

struct Session::Impl {
  ~Impl() {
    const auto held = turn(options.provider);
    session = Ort::Session{nullptr};
  }

  /// Runs the session, a slowed one first some times in a row without sleeping, and sleeps what the run lacks to
  /// `slowdown` times the shortest one. The shortest, since what a run takes more by disturbances, or by caches gone
  /// cold while it slept, is nothing to be multiplied.
  template <typename Run>
  auto slowed(const Run& run) {
    if (options.slowdown <= 1) return run();
    constexpr int kAwake = 5;
    const bool first = shortest_run.load() == std::numeric_limits<Clock::rep>::max();
    for (int i = 0; first && i < kAwake; ++i) note_run(run);
    const Clock::time_point start = Clock::now();
    auto results = note_run(run);
    const double least = options.slowdown * static_cast<double>(shortest_run.load());
    std::this_thread::sleep_until(start + Clock::duration(static_cast<Clock::rep>(least)));
    return results;
  }

  template <typename Run>
  auto note_run(const Run& run) {
    const Clock::time_point start = Clock::now();
    auto results = run();
    const Clock::rep took = (Clock::now() - start).count();
    Clock::rep known = shortest_run.load();
    while (took < known && !shortest_run.compare_exchange_weak(known, took)) {
    }
    return results;
  }

  SessionOptions options;
  std::atomic<Clock::rep> shortest_run{std::numeric_limits<Clock::rep>::max()};
  Ort::Session session{nullptr};
  std::vector<ValueInfo> inputs, outputs;
  std::vector<std::string> input_names, output_names;

  struct Bound {
    ONNXTensorElementDataType type;
    std::vector<std::int64_t> shape;
    std::span<const std::byte> bytes;
  };
  std::map<std::string, Bound> bound;

  Ort::Value fed(const ValueInfo& input, const Feed& feed) const {
    const auto found = bound.find(input.name);
    if (found == bound.end()) return view(fed_tensor(input, feed));
    const auto& [type, shape, bytes] = found->second;
    return Ort::Value::CreateTensor(our_memory(), const_cast<std::byte*>(bytes.data()), bytes.size(), shape.data(),
                                    shape.size(), type);
  }
};

Session::Session(const onnx::ModelProto& skeleton, const graph::TensorStore& store, const SessionOptions& options)
    : impl_(std::make_unique<Impl>()) {
  impl_->options = options;
  Ort::Env& env = environment();
  const auto held = turn(options.provider);
  try {
    const Loadable model = make_loadable(skeleton, store);
    Ort::SessionOptions ort = to_ort(options);
    if (!model.names.empty()) ort.AddExternalInitializers(model.names, model.values);
    impl_->session = Ort::Session(env, model.bytes.data(), model.bytes.size(), ort);
    Ort::AllocatorWithDefaultOptions allocator;
    for (std::size_t i = 0; i < impl_->session.GetInputCount(); ++i) {
      impl_->inputs.push_back(
          describe(impl_->session.GetInputNameAllocated(i, allocator).get(), impl_->session.GetInputTypeInfo(i)));
      impl_->input_names.push_back(impl_->inputs.back().name);
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
Session& Session::operator=(Session&&) noexcept = default;

const std::vector<ValueInfo>& Session::inputs() const { return impl_->inputs; }
const std::vector<ValueInfo>& Session::outputs() const { return impl_->outputs; }

void Session::bind(const onnx::TensorProto& tensor, std::span<const std::byte> bytes) {
  impl_->bound.insert_or_assign(
      tensor.name(),
      Impl::Bound{element_of_onnx(tensor.data_type()), {tensor.dims().begin(), tensor.dims().end()}, bytes});
}

std::vector<Tensor> Session::run(const Feed& feed) const { return run(feed, impl_->output_names); }

std::vector<Tensor> Session::run(const Feed& feed, const std::vector<std::string>& outputs) const {
  return run(feed, outputs, std::vector<Place>(outputs.size()));
}

std::vector<Tensor> Session::run(const Feed& feed, const std::vector<std::string>& outputs,
                                 const std::vector<Place>& places) const {
  std::vector<const char*> input_names, output_names;
  std::vector<Ort::Value> values;
  for (const ValueInfo& input : impl_->inputs) {
    values.push_back(impl_->fed(input, feed));
    input_names.push_back(input.name.c_str());
  }
  for (const std::string& name : outputs) {
    if (std::find(impl_->output_names.begin(), impl_->output_names.end(), name) == impl_->output_names.end()) {
      throw Error(ErrorCode::kInvalidInput, "The model has no output named '" + name + "'.", name);
    }
    output_names.push_back(name.c_str());
  }
  std::vector<Tensor> results;
  const auto held = turn(impl_->options.provider);
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

std::vector<SharedValue> Session::run_values(const std::vector<SharedValue>& inputs) const {
  if (inputs.size() != impl_->inputs.size()) {
    throw Error(ErrorCode::kInternal, "The session takes " + std::to_string(impl_->inputs.size()) +
                                          " inputs and was given " + std::to_string(inputs.size()) + ".");
  }
  // The C++ wrapper wants the values side by side, but they belong to several sessions.
  std::vector<const OrtValue*> given;
  for (const SharedValue& input : inputs) given.push_back(input.impl().value);
  const auto input_names = pointers(impl_->input_names), output_names = pointers(impl_->output_names);
  return impl_->slowed([&] {
    std::vector<OrtValue*> made(impl_->outputs.size(), nullptr);
    try {
      const auto held = turn(impl_->options.provider);
      Ort::ThrowOnError(Ort::GetApi().Run(impl_->session, nullptr, input_names.data(), given.data(), given.size(),
                                          output_names.data(), output_names.size(), made.data()));
    } catch (const Ort::Exception& failure) {
      throw translate(failure, "ONNX Runtime stopped while it ran a part of the model", "");
    }
    std::vector<SharedValue> results;
    for (OrtValue* value : made) {
      auto impl = std::make_shared<SharedValue::Impl>();
      impl->value = Ort::Value(value);
      results.emplace_back(std::move(impl));
    }
    return results;
  });
}

std::int64_t Session::memory_bytes() const {
  if (!impl_->options.fast || impl_->options.provider != "cpu") return 0;
  const auto arena = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  const auto statistics = Ort::Allocator(impl_->session, arena).GetStats();  // owns the text below
  const char* bytes = statistics.GetValue("MaxInUse");
  return bytes != nullptr ? std::atoll(bytes) : 0;
}

std::string Session::end_profiling() {
  Ort::AllocatorWithDefaultOptions allocator;
  return impl_->session.EndProfilingAllocated(allocator).get();
}

}  // namespace mpq::runtime
