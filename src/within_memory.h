#pragma once

#include "mpq/pipeline.h"

namespace mpq {

/// What a run can do of what it was asked for where the model is never in memory as a whole; the options as they are
/// where it is. Throws Error{kUsage} for what cannot be done.
PipelineOptions within_memory(const Model& model, PipelineOptions options, Observer& observer);

}  // namespace mpq
