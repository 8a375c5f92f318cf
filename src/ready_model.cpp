#include "ready_model.h"

#include <algorithm>
#include <string>

#include "mpq/error.h"
#include "mpq/verify.h"

#include "graph/memory_plan.h"
#include "support/text.h"

namespace mpq {

graph::IntegerReady ready_model(const Model& model, const Samples& calibration, const PipelineOptions& options,
                                Observer& observer) {
  constexpr std::size_t kSamples = 2;
  constexpr double kRoundingErrors = 1e-6;
  const graph::IntegerReady original = graph::IntegerReady::of(model);
  const std::string& compute = options.plan ? options.plan->compute : options.allocate.compute;
  const bool pieces = graph::plan_memory(model, options.quantize.memory_limit_bytes).pieces;
  if (compute == "float" || options.profile || pieces) return original;
  graph::IntegerReady ready = graph::integer_ready(model);
  if (ready.is_original) return ready;
  const Samples judge = calibration.slice(0, std::min(kSamples, calibration.size()));
  std::string against;
  try {
    const double damage = verify(model, ready.model, judge, {}, options.verify, observer).damage;
    if (damage < kRoundingErrors) return ready;
    against = "it differs by " + format_number(damage);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInterrupted) throw;
    against = error.what();
  }
  observer.note("The model is not made ready for integer kernels: " + against);
  return original;
}

void warn_if_raised(const Model& model, const QuantizedModel& written, Observer& observer) {
  const std::int64_t opset = written.model().opset();
  if (opset == model.opset()) return;
  observer.warn("The written model is of opset " + std::to_string(opset) + ", the original of " +
                    std::to_string(model.opset()) + ": integer kernels take a scale per channel, which came with 13.",
                "--compute float keeps the original's.");
}

}  // namespace mpq
