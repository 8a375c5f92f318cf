#pragma once

#include "mpq/budget.h"
#include "mpq/quantize.h"
#include "mpq/run_record.h"
#include "mpq/sensitivity.h"

#include "plan_writing.h"

namespace mpq {

/// Writes a plan that meets the budget of the size, by these scores.
using WriteWithinSize = std::function<QuantizedModel(const Writing& writing, const Sensitivity& scores)>;

/// Writes a model by the times of PipelineOptions::profile, and measures it: it meets the budget of the size and, as
/// measured, that of the latency where there is one. `judge`: what it is run on. Throws Error{kInfeasible}.
QuantizedModel write_timed(const Writing& writing, const Sensitivity& scores, const Budget& size, const Feed& judge,
                           const WriteWithinSize& write, RunRecord& record);

}  // namespace mpq
