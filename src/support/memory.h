#pragma once

#include <cstdint>

namespace mpq {

/// Memory this process may use: the machine's, or what its control group (a container) allows where that is less.
/// 0 where the system does not tell.
std::int64_t machine_memory_bytes();

/// Gives memory that was freed back to the system where the C library keeps it for later.
void trim_memory();

}  // namespace mpq
