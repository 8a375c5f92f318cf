#pragma once

#include "mpq/allocate.h"
#include "mpq/analyze.h"

#include "options.h"

namespace mpq::cli {

/// --portable (AnalyzeOptions::portable): no stored integer leaves [-64, 63], so that integer kernels of processors
/// without VNNI, which add pairs of products in 16 bits, never saturate; and all operators are those of ONNX Runtime
/// 1.17. Takes the candidates that do not fit out of `options`, or refuses what asks for them.
void make_portable(const Settings& settings, AnalyzeOptions& options);
void check_portable(const Settings& settings, const AllocateOptions& options);

}  // namespace mpq::cli
