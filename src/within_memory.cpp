#include "within_memory.h"

#include "mpq/error.h"
#include "mpq/memory.h"

#include "graph/memory_plan.h"
#include "runtime/measure.h"
#include "support/text.h"

namespace mpq {

PipelineOptions within_memory(const Model& model, PipelineOptions options, Observer& observer) {
  const graph::MemoryPlan memory = graph::plan_memory(model, options.quantize.memory_limit_bytes);
  if (!memory.pieces) return options;
  if (options.profile) {
    throw Error(ErrorCode::kUsage, "Latencies are measured with the whole model in memory, which the limit forbids.",
                "--profile", "Leave it out, or give a larger --memory-limit.");
  }
  observer.note("The model runs piece by piece within " + format_bytes(memory.limit_bytes) +
                ": plans are not compared as a whole, integer kernels are not looked for, latency is not measured.");
  options.joint_samples = 0;
  options.measure_latency = false;
  if (options.allocate.compute == "auto") options.allocate.compute = "float";
  if (options.plan && options.plan->compute == "auto") options.plan->compute = "float";
  return options;
}

std::int64_t peak_memory_bytes() { return runtime::peak_memory_bytes(); }

std::int64_t memory_limit_in_force(const Model& model, std::int64_t memory_limit_bytes) {
  const graph::MemoryPlan memory = graph::plan_memory(model, memory_limit_bytes);
  return memory.pieces ? memory.limit_bytes : 0;
}

}  // namespace mpq
