#include "profile/yardstick.h"

#include <algorithm>
#include <string>

#include <onnx/onnx_pb.h>

#include "mpq/error.h"

#include "profile/subnet.h"
#include "runtime/provider_facts.h"
#include "support/affinity.h"

namespace mpq::profiling {
namespace {

using Shape = std::vector<std::int64_t>;

void describe(onnx::ValueInfoProto& info, const std::string& name, const Shape& shape) {
  info.set_name(name);
  auto& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t extent : shape) type.mutable_shape()->add_dim()->set_dim_value(extent);
}

/// y = x op x, for a square x.
onnx::ModelProto squared(const std::string& op, const Shape& shape) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  graph.set_name("yardstick");
  describe(*graph.add_input(), "x", shape);
  describe(*graph.add_output(), "y", shape);
  onnx::NodeProto& node = *graph.add_node();
  node.set_op_type(op);
  node.add_input("x");
  node.add_input("x");
  node.add_output("y");
  return model;
}

Runner yardstick_runner(const std::string& op, const Shape& shape, const Processor& processor,
                        const std::string& precision) {
  const PinnedThread pinned(calling_cores(processor));
  Runner runner = make_runner({squared(op, shape), {}, session_options(processor, precision)},
                              {runtime::SharedValue(Tensor(DType::kFloat32, shape))}, processor);
  (void)runner.run();
  return runner;
}

std::string in_full(const Error& error) {
  return error.hint().empty() ? error.what() : std::string(error.what()) + " " + error.hint();
}

bool computes_on_cpu(const Processor& processor) {
  return processor.provider == "cpu" || (processor.provider == "openvino" && processor.device == "cpu");
}

}  // namespace

Yardstick::Yardstick(std::vector<Processor>& processors) : calls_(processors.size()), products_(processors.size()) {
  constexpr std::int64_t kSide = 192;
  for (std::size_t i = 0; i < processors.size(); ++i) {
    Processor& processor = processors[i];
    if (processor.cores.empty() && computes_on_cpu(processor)) processor.cores = available_cores();
    try {
      calls_[i].emplace(yardstick_runner("Add", {4}, processor, "float32"));
      products_[i].emplace(yardstick_runner("MatMul", {kSide, kSide}, processor, "float32"));
      processor.description = runtime::provider_description(session_options(processor, "float32"));
    } catch (const Error& error) {
      // A core that does not exist is a mistake of the one who typed it, a provider that is not there is none.
      if (error.code() == ErrorCode::kUsage) throw;
      calls_[i].reset();
      products_[i].reset();
      processor.absent = in_full(error);
    }
  }
}

std::vector<double> Yardstick::tick() const {
  std::vector<double> seconds;
  for (const auto& product : products_) seconds.push_back(product ? product->timed() : 0);
  return seconds;
}

std::vector<double> Yardstick::call_seconds(int repeats, double most_seconds, const Observer& observer) const {
  std::vector<const Runner*> present;
  for (const auto& call : calls_) {
    if (call) present.push_back(&*call);
  }
  const std::vector<Timing> timings = time_in_turn(present, repeats, most_seconds, observer);
  std::vector<double> seconds;
  auto next = timings.begin();
  for (const auto& call : calls_) seconds.push_back(call ? (next++)->seconds : 0);
  return seconds;
}

double relative_spread(const std::vector<double>& seconds) {
  constexpr double kNormal = 1.4826;
  std::vector<double> times;
  std::copy_if(seconds.begin(), seconds.end(), std::back_inserter(times), [](double value) { return value > 0; });
  if (times.size() < 2) return 0;
  const Timing timing = summarize(times);
  return kNormal * timing.spread / timing.seconds;
}

}  // namespace mpq::profiling
