#pragma once

#include <cstdint>

#include "mpq/model.h"

namespace mpq::graph {

/// How the stages share the memory they may use.
struct MemoryPlan {
  /// The network runs piece by piece, and what is worked out of a layer goes to disk: nothing of the size of the model
  /// is ever in memory. Else the figures below do not matter.
  bool pieces = false;
  std::int64_t limit_bytes = 0;     ///< of the whole process
  std::int64_t piece_bytes = 0;     ///< constants of one piece
  std::int64_t crossing_bytes = 0;  ///< values between pieces, of all samples
  std::int64_t working_bytes = 0;   ///< what is worked out of a layer: gradients, rounding errors, statistics
};

/// The least limit a model can be worked on with.
std::int64_t least_memory_bytes(const Model& model);

/// With a limit, pieces where the whole model would not fit into it; without one (0), where it would take more than
/// half of the machine's memory, which is the limit then. Throws Error{kUsage} for a limit below what the largest layer
/// takes, naming the least that can be.
MemoryPlan plan_memory(const Model& model, std::int64_t limit_bytes);

}  // namespace mpq::graph
