#pragma once

#include "mpq/allocate.h"
#include "mpq/analyze.h"

#include "options.h"

namespace mpq::cli {

/// --portable: no stored integer leaves [-64, 63], so that integer kernels of processors without VNNI, which add pairs
/// of products in 16 bits, never saturate. Takes the candidates that could out of `options`, or refuses what asks for
/// them.
void make_portable(const Settings& settings, AnalyzeOptions& options);
void check_portable(const Settings& settings, const AllocateOptions& options);

}  // namespace mpq::cli
