#include "mpq/pipeline.h"
#include "mpq/profile.h"

#include "plan_writing.h"
#include "profile/profiler.h"

namespace mpq {

/// The widths that a profile measures are written as `mpq quantize --compute int8` writes them, integer activations
/// included, but for what takes long and makes no difference to the time: rounded to nearest, on untried grids.
Profile profile(const Model& model, const Samples& samples, const ProfileOptions& options, Observer& observer) {
  PipelineOptions pipeline;
  pipeline.quantize.rounding = "nearest";
  const Samples first = samples.slice(0, samples.size() > 0 ? 1 : 0);
  RoundedQuantizer quantizer(model, first);
  IntegerPlanner integers(model, first, {}, IntegerPlanner::Grids::kPlain);
  const Writing writing{model, model, quantizer, integers, first, pipeline, observer};
  return profiling::measure(
      model, samples, options, [&](const Plan& plan) { return write_as(writing, plan, "int8"); }, observer);
}

}  // namespace mpq
