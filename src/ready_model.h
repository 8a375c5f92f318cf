#pragma once

#include "mpq/pipeline.h"

#include "graph/integer_ready.h"

namespace mpq {

/// What plans with integer kernels are written into: the model itself, or made ready for them (graph::integer_ready)
/// and checked on samples. Where it does not compute what the model computes, the model stays as it is; so it does in
/// float arithmetic, piece by piece, and with a profile, whose times are those of the model itself.
graph::IntegerReady ready_model(const Model& model, const Samples& calibration, const PipelineOptions& options,
                                Observer& observer);

/// Tells where the written model is of a newer operator set than the original.
void warn_if_raised(const Model& model, const QuantizedModel& written, Observer& observer);

}  // namespace mpq
