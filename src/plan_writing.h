#pragma once

#include <string>
#include <vector>

#include "mpq/pipeline.h"

#include "encode/encode.h"
#include "integer_plan.h"
#include "rounded_quantize.h"

namespace mpq {

/// What the plans of a run are written with.
struct Writing {
  const Model& model;
  const Model& integer_model;  ///< that plans with integer kernels are written into: `model`, or made ready for them
  RoundedQuantizer& quantizer;
  IntegerPlanner& integers;
  const Samples& calibration;
  const PipelineOptions& options;
  Observer& observer;
};

/// Activation ranges come from real inputs only: made-up ones would clip what real ones need.
bool has_ranges(const Samples& calibration);

/// The plan in the arithmetic asked for: "float"; "int8", integer kernels wherever they exist; "auto", these where they
/// run most of the arithmetic and add no more damage than the budget itself costs.
QuantizedModel write_as(const Writing& writing, const Plan& plan, const std::string& compute);

/// The plan as it is, in "float" or "int8" arithmetic; `forms` says the rest of how its layers run.
QuantizedModel write_plan(RoundedQuantizer& quantizer, Plan plan, const std::string& compute,
                          const PipelineOptions& options, Observer& observer, encode::Forms forms = {});

/// A plan rounded to nearest: how plans are compared, and the baseline everybody knows.
QuantizedModel write_nearest(RoundedQuantizer& quantizer, Plan plan, const std::string& compute,
                             const PipelineOptions& options, Observer& observer, encode::Forms forms = {});

/// Compares a written model with the original as PipelineOptions::verify says.
Verification measure(const Model& model, const QuantizedModel& quantized, const Samples& samples,
                     const PipelineOptions& options, const std::vector<std::int64_t>& labels, Observer& observer);

}  // namespace mpq
