#include "graph/memory_plan.h"

#include <algorithm>

#include "mpq/error.h"

#include "graph/model_impl.h"
#include "support/memory.h"
#include "support/text.h"

namespace mpq::graph {

namespace {

constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;

// Measured (docs/large-models.md).
constexpr std::int64_t kProcessBytes = 112 * kMebibyte;  ///< the libraries, graphs and reports: everything but numbers
constexpr std::int64_t kLayerCopies =
    8;  ///< packed, as integers and twice as floats while it is unpacked; or gradient and errors

/// What the stages take where the whole model is in memory: sessions hold up to six copies of its weights, the errors
/// of all candidates up to 28, but of these no more than two gigabytes are kept.
std::int64_t whole_bytes(std::int64_t weights) {
  return kProcessBytes + std::min(28 * weights, 6 * weights + 2048 * kMebibyte);
}

struct Weights {
  std::int64_t all = 0, in_memory = 0, largest = 0;
};

Weights weights_of(const Model& model) {
  Weights result;
  const graph::TensorStore& store = *model.impl().store;
  for (std::size_t i = 0; i < store.size(); ++i) {
    const auto bytes = static_cast<std::int64_t>(store.bytes(i).size());
    result.all += bytes;
    if (!store.mapped(i)) result.in_memory += bytes;
    result.largest = std::max(result.largest, bytes);
  }
  return result;
}

std::int64_t fixed_bytes(const Weights& weights) { return kProcessBytes + weights.in_memory; }

[[noreturn]] void refuse(std::int64_t limit, std::int64_t least, const Weights& weights) {
  const std::string inside = weights.in_memory > kMebibyte
                                 ? " " + format_bytes(weights.in_memory) +
                                       " of its weights stand in the model file itself, which is read whole."
                                 : "";
  throw Error(ErrorCode::kUsage,
              "The model takes at least " + format_bytes(least) + " of memory: its largest layer has " +
                  format_bytes(weights.largest) + ", of which " + std::to_string(kLayerCopies) +
                  " copies are needed at a time." + inside,
              "--memory-limit " + format_bytes(limit),
              inside.empty() ? "Give a larger limit." : "Give a larger limit, or save the model with external data.");
}

}  // namespace

std::int64_t least_memory_bytes(const Model& model) {
  const Weights weights = weights_of(model);
  return fixed_bytes(weights) + kLayerCopies * weights.largest;
}

MemoryPlan plan_memory(const Model& model, std::int64_t limit_bytes) {
  const Weights weights = weights_of(model);
  const std::int64_t machine = machine_memory_bytes();
  MemoryPlan plan;
  plan.limit_bytes = limit_bytes > 0 ? limit_bytes : machine / 2;
  if (plan.limit_bytes == 0 || whole_bytes(weights.all) <= plan.limit_bytes) return plan;
  const std::int64_t least = least_memory_bytes(model);
  if (limit_bytes > 0 && limit_bytes < least) refuse(limit_bytes, least, weights);
  plan.limit_bytes = std::max(plan.limit_bytes, least);  // half of the machine was a guess
  plan.pieces = true;
  const std::int64_t free = plan.limit_bytes - fixed_bytes(weights);
  constexpr std::int64_t kMostOfAPiece = 256 * kMebibyte;
  plan.piece_bytes = std::clamp(free / 8, weights.largest, std::max(weights.largest, kMostOfAPiece));
  plan.crossing_bytes = free / 8;
  plan.working_bytes = free - plan.piece_bytes - plan.crossing_bytes;
  return plan;
}

}  // namespace mpq::graph
