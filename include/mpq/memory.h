#pragma once

#include <cstdint>

#include "mpq/model.h"

namespace mpq {

/// Largest resident memory of this process so far; 0 where the system does not tell.
std::int64_t peak_memory_bytes();

/// What `memory_limit_bytes` of the stages' options means for a model: the limit within which it runs piece by piece;
/// 0 where it runs as a whole. Throws Error{kUsage} for a limit that cannot be met, naming the least that can.
std::int64_t memory_limit_in_force(const Model& model, std::int64_t memory_limit_bytes);

}  // namespace mpq
