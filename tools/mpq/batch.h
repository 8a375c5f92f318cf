#pragma once

#include <vector>

#include "mpq/mpq.h"

#include "console.h"
#include "options.h"

namespace mpq::cli {

/// Quantizes one model and writes what the settings ask for. Throws mpq::Error.
std::vector<PipelineResult> quantize_model(const Settings& settings, Console& console);

/// Quantizes model after model. One that fails is reported and does not stop the others. Returns the exit code of the
/// first that failed, else 0; an interrupt stops at once.
int run_batch(const Settings& settings, Console& console);

}  // namespace mpq::cli
