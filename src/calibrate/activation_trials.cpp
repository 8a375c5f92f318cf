#include "calibrate/activation_trials.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <set>
#include <span>

#include "mpq/error.h"

#include "runtime/activations.h"
#include "runtime/outputs.h"
#include "runtime/session.h"
#include "support/damage.h"
#include "support/parallel.h"

namespace mpq::calibrate {

namespace {

/// The float network on one sample: the values trials are fed with, and its outputs.
struct SampleRun {
  Feed values, outputs;
};

/// What is known of the outputs over all samples.
struct Targets {
  std::string metric;
  std::map<std::string, double> weight;  ///< adding up to 1
  std::map<std::string, OutputKind> kinds;
  std::map<std::string, double> energy;
};

Targets targets_of(const std::vector<SampleRun>& runs, const std::vector<runtime::MeasuredOutput>& measured,
                   const std::string& metric) {
  Targets targets;
  std::vector<OutputKind> kinds;
  double weights = 0;
  for (const runtime::MeasuredOutput& output : measured) weights += output.weight;
  for (const runtime::MeasuredOutput& measured_output : measured) {
    const std::string& name = measured_output.name;
    targets.weight[name] = measured_output.weight / weights;
    OutputKind kind = OutputKind::kTensor;
    double sum = 0;
    for (std::size_t s = 0; s < runs.size(); ++s) {
      const Tensor& output = runs[s].outputs.at(name);
      kind = s == 0 ? classify_output(output) : refine(kind, output);
      sum += energy(output);
    }
    if (measured_output.kind) kind = *measured_output.kind;
    targets.kinds[name] = kind;
    targets.energy[name] = sum > 0 ? sum / static_cast<double>(runs.size()) : 1;
    kinds.push_back(kind);
  }
  targets.metric = resolve_metric(metric, kinds);
  return targets;
}

/// Types of values as the samples have them; extents that differ from sample to sample are free.
std::map<std::string, ValueInfo> types_of(const std::vector<SampleRun>& runs) {
  std::map<std::string, ValueInfo> types;
  for (const SampleRun& run : runs) {
    for (const auto& [name, tensor] : run.values) {
      const auto [found, fresh] = types.emplace(name, ValueInfo{name, tensor.type(), tensor.shape(), {}, true});
      if (fresh) continue;
      ValueInfo& info = found->second;
      if (info.shape.size() != tensor.shape().size()) {
        info.has_rank = false;
        continue;
      }
      for (std::size_t axis = 0; axis < info.shape.size(); ++axis) {
        if (info.shape[axis] != tensor.shape()[axis]) info.shape[axis] = -1;
      }
    }
  }
  return types;
}

/// Runs of the float network that hold every value the trials need; fewer samples where those take much memory.
std::vector<SampleRun> capture(const graph::RunForm& form, const std::set<std::string>& needed,
                               const std::vector<std::string>& outputs, const Samples& samples) {
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 30;
  std::set<std::string> names = needed;
  names.insert(outputs.begin(), outputs.end());
  const runtime::Activations activations(form, {names.begin(), names.end()});
  std::vector<SampleRun> runs;
  std::int64_t held = 0;
  for (std::size_t s = 0; s < samples.size() && (s == 0 || held + held / static_cast<std::int64_t>(s) < kMostBytes);
       ++s) {
    SampleRun& run = runs.emplace_back();
    run.values = activations.of(samples[s]);
    for (const std::string& name : outputs) run.outputs.emplace(name, run.values.at(name));
    held += runtime::bytes_of(run.values);
  }
  return runs;
}

quant::ActivationGrid grid_over(std::span<const float> values) {
  if (values.empty()) return {};
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return quant::grid_over(*least, *most);
}

Tensor rounded(const Tensor& values, const TriedGrid& grid) {
  Tensor copy(values.type(), values.shape());
  std::memcpy(copy.mutable_data(), values.data(), values.size_bytes());
  quant::round_to_grid(copy.as_mutable<float>(), grid ? *grid : grid_over(values.as<float>()));
  return copy;
}

}  // namespace

std::map<std::string, std::vector<double>> activation_damage(const graph::RunForm& form,
                                                             const std::map<std::string, std::vector<TriedGrid>>& grids,
                                                             const Model& model, const Samples& samples,
                                                             const TrialOptions& options, Observer& observer) {
  if (samples.size() == 0) throw Error(ErrorCode::kInternal, "Activations cannot be tried without a sample.");
  const std::vector<runtime::MeasuredOutput> measured =
      runtime::measured_values(model, options.outputs_glob, options.output_roles);
  std::vector<std::string> targets;
  for (const runtime::MeasuredOutput& output : measured) targets.push_back(output.name);
  std::set<std::string> needed;
  std::vector<std::string> values;
  for (const auto& [value, list] : grids) {
    values.push_back(value);
    needed.insert(value);
    for (const std::string& name : graph::boundary_behind(form, value, targets)) needed.insert(name);
  }
  const std::vector<SampleRun> runs = capture(form, needed, targets, samples);
  const Targets judged = targets_of(runs, measured, options.metric);
  const std::map<std::string, ValueInfo> types = types_of(runs);

  std::vector<std::vector<double>> damage(values.size());
  std::atomic<std::size_t> done = 0;
  parallel_for(values.size(), options.threads, [&](std::size_t v, int) {
    if (observer.cancelled()) throw Error(ErrorCode::kInterrupted, "Interrupted while activations were tried.");
    const std::vector<TriedGrid>& candidates = grids.at(values[v]);
    const graph::Cut cut = graph::cut_behind_value(form, values[v], targets, types);
    damage[v].assign(candidates.size(), 0);
    if (cut.model.graph().output_size() == 0) return;  // no output depends on it
    const runtime::Session session(cut.model, *form.store);
    for (const SampleRun& run : runs) {
      for (std::size_t c = 0; c < candidates.size(); ++c) {
        Feed feed = run.values;
        feed[values[v]] = rounded(run.values.at(values[v]), candidates[c]);
        const std::vector<Tensor> results = session.run(feed);
        double sum = 0;
        for (std::size_t o = 0; o < results.size(); ++o) {
          const std::string& name = session.outputs()[o].name;
          sum +=
              judged.weight.at(name) * runtime::output_damage(judged.metric, judged.kinds.at(name),
                                                              run.outputs.at(name), results[o], judged.energy.at(name));
        }
        damage[v][c] += sum / static_cast<double>(runs.size());
      }
    }
    observer.progress("activations", static_cast<double>(++done), static_cast<double>(values.size()), values[v]);
  });
  std::map<std::string, std::vector<double>> result;
  for (std::size_t v = 0; v < values.size(); ++v) result.emplace(values[v], std::move(damage[v]));
  return result;
}

}  // namespace mpq::calibrate
