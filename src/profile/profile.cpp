#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <numeric>

#include "mpq/error.h"

#include "profile/machine.h"
#include "profile/profile_journal.h"
#include "profile/profiler.h"
#include "profile/segment_bench.h"
#include "profile/segmentation.h"
#include "profile/subnet.h"
#include "profile/transfer.h"
#include "profile/walk.h"
#include "profile/yardstick.h"
#include "runtime/kept_values.h"
#include "runtime/provider_facts.h"

namespace mpq {
namespace profiling {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// All precisions a processor has for this model, that of the model itself first.
std::vector<std::string> precisions_of(const Processor& processor, const Model& model, const std::string& base) {
  std::vector<std::string> result = {base};
  if (processor.provider == "openvino" && processor.device == "cpu" && has_bfloat16()) result.push_back("bfloat16");
  const auto& layers = model.layers();
  const bool quantizable = std::any_of(layers.begin(), layers.end(), [](const Layer& l) { return l.quantizable(); });
  if (base == "float32" && quantizable) result.insert(result.end(), {"int8", "int4"});
  return result;
}

void add_columns(const Model& model, const ProfileOptions& options, Profile& profile) {
  const auto is_asked = [&](const std::string& precision) {
    const auto& asked = options.precisions;
    return asked.empty() || precision == profile.base_precision ||
           std::find(asked.begin(), asked.end(), precision) != asked.end();
  };
  for (std::size_t i = 0; i < profile.processors.size(); ++i) {
    Processor& processor = profile.processors[i];
    if (!processor.present()) continue;
    for (const std::string& precision : precisions_of(processor, model, profile.base_precision)) {
      if (!is_asked(precision)) continue;
      processor.precisions.push_back(precision);
      CostColumn column;
      column.processor = static_cast<int>(i);
      column.precision = precision;
      profile.columns.push_back(std::move(column));
    }
  }
}

/// The whole measurement; the profile grows as it goes.
class Profiler {
 public:
  Profiler(const Model& model, const Samples& samples, const ProfileOptions& options, const PlanWriter& write,
           Observer& observer)
      : model_(model), samples_(samples), options_(options), write_(write), observer_(observer) {
    profile_.model = model.facts();
    profile_.data = samples.facts();
    profile_.machine = this_machine();
    if (!model.quantized_parts().empty()) profile_.base_precision = "stored";
    profile_.processors = options.processors;
  }

  Profile run() {
    const Clock::time_point start = Clock::now();
    const Yardstick yardstick(profile_.processors);
    add_columns(model_, options_, profile_);
    if (profile_.columns.empty()) {
      throw Error(ErrorCode::kUsage, "None of the processors can be used: " + profile_.processors.front().absent,
                  "--devices", "Name at least one that is there; cpu always is.");
    }
    const Variants variants = divide();
    double seconds = seconds_since(start);
    seconds += measure_segments(variants, yardstick);
    const Clock::time_point rest = Clock::now();
    measure_rest(variants, yardstick);
    profile_.seconds = seconds + seconds_since(rest);
    return std::move(profile_);
  }

 private:
  Variants divide();
  void learn_shapes();
  void note_integer_activations(const Variant& variant);
  double measure_segments(const Variants& variants, const Yardstick& yardstick);
  void measure_rest(const Variants& variants, const Yardstick& yardstick);
  const Feed& feed() const { return samples_[0]; }

  const Model& model_;
  const Samples& samples_;
  const ProfileOptions& options_;
  const PlanWriter& write_;
  Observer& observer_;
  Profile profile_;
  std::vector<std::vector<double>> ticks_;  // [segment][processor]
};

/// Ranks that shape inference does not find decide what the runtime fuses, so they are known before anything is timed.
void Profiler::learn_shapes() {
  const CuttableModel model(model_, profile_);
  Walk walk(model, profile_, feed());
  for (std::size_t i = 0; i < profile_.segments.size(); ++i) walk.advance();
}

void Profiler::note_integer_activations(const Variant& variant) {
  std::vector<std::string>& known = profile_.integer_activations;
  for (const auto& [layer, kernel] : variant.kernels) {
    const bool is_new = std::find(known.begin(), known.end(), layer) == known.end();
    if (is_new && kernel.find("int8 activations") != std::string::npos) known.push_back(layer);
  }
}

/// Cuts only where no precision has a kernel that would be cut through.
Variants Profiler::divide() {
  std::map<std::string, std::shared_ptr<const Variant>> models;
  for (const CostColumn& column : profile_.columns) {
    if (!models.count(column.precision))
      models[column.precision] = std::make_shared<const Variant>(at_precision(model_, column.precision, write_));
  }
  std::set<std::string> kept;
  for (const auto& [precision, variant] : models) {
    const graph::RunForm form = graph::run_form(variant->model);
    std::set<std::string> here = runtime::kept_values(form.model, *form.store);
    if (here.empty()) continue;
    here.merge(rounded_values(form.model));
    if (precision != profile_.base_precision) here.merge(values_to_round(form.model));
    if (!kept.empty()) std::erase_if(here, [&](const std::string& name) { return !kept.count(name); });
    kept = std::move(here);
  }
  const graph::RunForm form = graph::run_form(model_);
  Segmentation parts = segmentation(model_, form, kept);
  describe_tensors(model_, form, parts.tensors);
  profile_.segments = std::move(parts.segments);
  profile_.tensors = std::move(parts.tensors);
  learn_shapes();
  Variants variants;
  for (const auto& [precision, variant] : models) {
    variants.emplace(precision, std::make_shared<const CuttableVariant>(
                                    CuttableVariant{CuttableModel(variant->model, profile_), variant->kernels}));
  }
  for (const auto& [precision, variant] : models) note_integer_activations(*variant);
  return variants;
}

/// Returns the seconds it took, those of an interrupted run included.
double Profiler::measure_segments(const Variants& variants, const Yardstick& yardstick) {
  ProfileJournal journal(options_.checkpoint_path, profile_, options_);
  const SegmentBench bench(profile_, variants, options_, observer_);
  Walk walk(variants.at(profile_.base_precision)->model, profile_, feed());
  double seconds = 0;
  const int count = static_cast<int>(profile_.segments.size());
  for (int segment = 0; segment < count; ++segment) {
    observer_.progress("profile", segment, count, profile_.segments[static_cast<std::size_t>(segment)].name);
    if (observer_.cancelled()) throw Error(ErrorCode::kInterrupted, "Interrupted while the segments were timed.");
    const SegmentRow* known = journal.find(segment);
    SegmentRow row;
    if (known != nullptr) {
      row = *known;
    } else {
      const Clock::time_point start = Clock::now();
      row.ticks = yardstick.tick();
      row.costs = bench.costs(segment, walk);
      row.seconds = seconds_since(start);
      journal.append(segment, row);
    }
    for (std::size_t c = 0; c < profile_.columns.size(); ++c) profile_.columns[c].costs.push_back(row.costs[c]);
    ticks_.push_back(row.ticks);
    seconds += row.seconds;
    walk.advance();
  }
  journal.remove();
  return seconds;
}

void Profiler::measure_rest(const Variants& variants, const Yardstick& yardstick) {
  constexpr int kCalls = 101;
  observer_.progress("profile", static_cast<double>(profile_.segments.size()),
                     static_cast<double>(profile_.segments.size()), "the whole network and the transfers");
  const std::vector<double> calls = yardstick.call_seconds(kCalls, options_.seconds_per_cell, observer_);
  for (std::size_t p = 0; p < profile_.processors.size(); ++p) {
    std::vector<double> ticks;
    for (const auto& row : ticks_) ticks.push_back(row[p]);
    profile_.processors[p].call_seconds = calls[p];
    profile_.processors[p].noise = relative_spread(ticks);
    profile_.noise = std::max(profile_.noise, profile_.processors[p].noise);
  }
  std::vector<int> all(profile_.segments.size());
  std::iota(all.begin(), all.end(), 0);
  const SegmentBench bench(profile_, variants, options_, observer_);
  bench.time_whole(Walk(variants.at(profile_.base_precision)->model, profile_, feed()).inputs_of(all),
                   profile_.columns);
  for (CostColumn& column : profile_.columns) {
    const double predicted = subnet_seconds(profile_, all, column.processor, column.precision);
    if (std::isfinite(predicted)) column.predicted = predicted;
  }
  profile_.transfers = measure_transfers(profile_.processors, observer_);
}

}  // namespace
}  // namespace profiling

void ProfileOptions::validate() const {
  if (processors.empty()) throw Error(ErrorCode::kUsage, "No processor is named.", "--devices");
  if (repeats < 1) throw Error(ErrorCode::kUsage, "A segment has to be timed at least once.", "--repeats");
  static const std::set<std::string> kKnown = {"float32", "bfloat16", "int8", "int4", "stored"};
  for (const std::string& precision : precisions) {
    if (kKnown.count(precision)) continue;
    throw Error(ErrorCode::kUsage, "There is no precision \"" + precision + "\".", "--precisions",
                "The precisions are float32, bfloat16, int8 and int4.");
  }
}

Profile profiling::measure(const Model& model, const Samples& samples, const ProfileOptions& options,
                           const PlanWriter& write, Observer& observer) {
  options.validate();
  if (samples.size() == 0) throw Error(ErrorCode::kInvalidInput, "A profile needs a sample.", samples.facts().source);
  runtime::use_provider_library("openvino", options.openvino_library);
  runtime::use_provider_library("webgpu", options.webgpu_library);
  return Profiler(model, samples, options, write, observer).run();
}

}  // namespace mpq
