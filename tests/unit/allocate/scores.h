#pragma once

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "mpq/allocate.h"
#include "mpq/sensitivity.h"

namespace mpq {

/// A layer of `parameters` weights that offers 2, 4 and 8 bits, half and float, with damages that fall with the width
/// from `damage` at 2 bits. In a file every candidate weighs 40 bytes more than its numbers.
inline LayerSensitivity example_scores(const std::string& name, std::int64_t parameters, double damage) {
  LayerSensitivity entry;
  entry.layer.name = name;
  entry.layer.op = "MatMul";
  entry.layer.parameters = parameters;
  const auto add = [&](Candidate candidate, double share) {
    const std::int64_t bytes = parameters * candidate.bits / 8;
    const std::string function = candidate.form == "grid" ? "Unpack" + std::to_string(candidate.bits) : "";
    entry.candidates.push_back({std::move(candidate), bytes, bytes + 40, function, damage * share, 0, 4});
  };
  add({2, "grid", 0}, 1);
  add({4, "grid", 0}, 0.1);
  add({8, "grid", 0}, 0.01);
  add({16, "half", 0}, 0.001);
  add({32, "float", 0}, 0);
  return entry;
}

inline Sensitivity example_record(std::vector<LayerSensitivity> layers) {
  Sensitivity scores;
  scores.layers = std::move(layers);
  scores.size = {500, 100, {{"Unpack2", 70}, {"Unpack4", 60}, {"Unpack8", 50}}, 0};
  scores.model.bytes = scores.size.base_bytes;
  for (const LayerSensitivity& layer : scores.layers) {
    scores.size.quantizable_parameters += layer.layer.parameters;
    scores.model.bytes += layer.candidates.back().file_bytes;
  }
  return scores;
}

/// Layers of equal size whose damages fall with the width and spread over some decades.
inline Sensitivity falling_scores(std::mt19937_64& random, std::size_t layers) {
  std::vector<LayerSensitivity> entries;
  for (std::size_t i = 0; i < layers; ++i) {
    const double damage = std::lognormal_distribution<double>(0, 1.5)(random);
    entries.push_back(example_scores("layer" + std::to_string(i), 800, damage));
  }
  return example_record(std::move(entries));
}

inline Sensitivity random_record(std::mt19937_64& random, std::size_t layers) {
  std::vector<LayerSensitivity> entries;
  for (std::size_t i = 0; i < layers; ++i) {
    const auto parameters = std::uniform_int_distribution<std::int64_t>(1, 40)(random) * 8;
    LayerSensitivity& entry = entries.emplace_back(example_scores("layer" + std::to_string(i), parameters, 1));
    for (CandidateScore& score : entry.candidates) {
      if (score.candidate.form != "float") score.damage = std::exponential_distribution<double>(1)(random);
    }
  }
  return example_record(std::move(entries));
}

constexpr std::int64_t kMillisecond = 1'000'000;

/// Times as kernels give them: a gain of the layer's own at up to 4 bits, another at 8, none above.
inline Sensitivity timed_record(std::mt19937_64& random, std::size_t layers) {
  Sensitivity scores = random_record(random, layers);
  scores.time = {"cpu:0", 0, 0, 0.05};
  for (LayerSensitivity& layer : scores.layers) {
    const auto gain = [&] {
      return std::uniform_int_distribution<std::int64_t>(-kMillisecond, kMillisecond / 4)(random);
    };
    const std::int64_t int4 = gain(), int8 = gain();
    scores.time.float_nanoseconds += kMillisecond;
    scores.time.base_nanoseconds += kMillisecond;
    for (CandidateScore& score : layer.candidates)
      score.nanoseconds = score.candidate.bits <= 4 ? int4 : score.candidate.bits == 8 ? int8 : 0;
  }
  return scores;
}

inline AllocateOptions within(const Budget& time) {
  AllocateOptions options;
  options.time_budget = time;
  return options;
}

/// Calls `visit` with every way to choose one candidate per layer.
inline void every_selection(const Sensitivity& scores,
                            const std::function<void(const std::vector<std::size_t>&)>& visit) {
  std::vector<std::size_t> selection(scores.layers.size(), 0);
  for (;;) {
    visit(selection);
    std::size_t layer = 0;
    while (layer < selection.size() && ++selection[layer] == scores.layers[layer].candidates.size()) {
      selection[layer++] = 0;
    }
    if (layer == selection.size()) return;
  }
}

}  // namespace mpq
