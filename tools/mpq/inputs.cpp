#include "inputs.h"

#include <fmt/format.h>

namespace mpq::cli {

Model load_model(const std::string& path, Console& console) {
  console.say(fmt::format("mpq {}: reading {}", version(), path));
  Model model = Model::load(path);
  for (const Finding& finding : model.findings()) console.warn(finding.what, finding.cure);
  return model;
}

Model load_original(const Settings& settings, Console& console) {
  const Model model = load_model(settings.positionals[0], console);
  if (embedded_plan(model))
    console.warn("mpq wrote this model; the weights that it packed stay as they are.",
                 "Give the model it was made from.");
  if (!settings.requantize) return model;
  const Dequantized floats = dequantize(model);
  console.note(fmt::format("--requantize: {} tensors are floats again, {} activations are no longer rounded",
                           floats.weights, floats.activations));
  return floats.model;
}

std::optional<Samples> open_samples(const std::string& path, const Model& model, const Settings& settings,
                                    Console& console) {
  if (path.empty()) return std::nullopt;
  SamplesOptions options;
  options.limit = settings.samples.value_or(0);
  options.image_preset = settings.image_preset;
  Samples samples = Samples::open(path, model, options);
  console.note(fmt::format("{}: {} samples", path, samples.size()));
  return samples;
}

std::vector<std::int64_t> open_labels(const Settings& settings) {
  if (settings.labels.empty()) return {};
  std::vector<std::int64_t> labels = load_labels(settings.labels);
  const auto limit = static_cast<std::size_t>(settings.samples.value_or(0));
  if (limit > 0 && labels.size() > limit) labels.resize(limit);
  return labels;
}

Samples or_synthetic(const std::optional<Samples>& given, const Model& model, const Settings& settings) {
  if (given) return *given;
  return Samples::synthetic(model, settings.samples.value_or(PipelineOptions{}.synthetic_samples),
                            static_cast<std::uint64_t>(settings.seed.value_or(1)));
}

Sensitivity read_scores(const std::string& path) {
  const AnyRecord record = read_record(path);
  if (const auto* scores = std::get_if<Sensitivity>(&record)) {
    if (!scores->shard) return *scores;
    throw Error(ErrorCode::kInvalidInput,
                fmt::format("The record is part {} of an analysis.", to_string(*scores->shard)), path,
                "Join the parts with `mpq merge`.");
  }
  const auto* run = std::get_if<RunRecord>(&record);
  if (run != nullptr && run->sensitivity) return *run->sensitivity;
  throw Error(ErrorCode::kInvalidInput, "The record holds no sensitivities.", path,
              "Give a *.sensitivity.json written by `mpq analyze`, or a run record that holds one.");
}

Plan read_plan(const std::string& path) {
  const AnyRecord record = read_record(path);
  if (const auto* plan = std::get_if<Plan>(&record)) return *plan;
  const auto* run = std::get_if<RunRecord>(&record);
  if (run != nullptr && run->plan) return *run->plan;
  throw Error(ErrorCode::kInvalidInput, "The record holds no plan.", path,
              "Give a *.plan.json written by `mpq plan -o`, or a run record that holds one.");
}

}  // namespace mpq::cli
