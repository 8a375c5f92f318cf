#pragma once

namespace mpq::profiling {

/// Whether the processor multiplies bfloat16 numbers (AVX512-BF16, AMX-BF16 or the ARM extension).
bool has_bfloat16();

}  // namespace mpq::profiling
