#include "prices/trellis_prices.h"

#include <algorithm>
#include <span>
#include <string>

#include "analyze/derived_candidates.h"
#include "quantize/rows.h"
#include "support/parallel.h"

namespace mpq {

namespace {

constexpr int kWidest = 6;
constexpr double kWorthwhile = 0.9;  // of the grid's squared error

/// Some rows of a layer as a layer of their own, [rows, weights of a row].
struct Sample {
  Layer layer;
  std::vector<float> weight;
};

Sample sample_of(const Layer& layer, const std::vector<float>& weight) {
  constexpr std::size_t kMostWeights = std::size_t{1} << 15, kFewestRows = 64;
  const quant::Rows rows(quant::scale_layout(layer, {8, "grid", 0}));
  if (weight.size() <= kMostWeights || rows.count() <= kFewestRows) return {layer, weight};
  const std::size_t count = std::clamp(kMostWeights / rows.length(), kFewestRows, rows.count());
  Sample sample{layer, std::vector<float>(count * rows.length())};
  for (std::size_t i = 0; i < count; ++i) {
    rows.gather<float>(weight, i * rows.count() / count, 1, sample.weight.data() + i * rows.length());
  }
  sample.layer.shape = {static_cast<std::int64_t>(count), static_cast<std::int64_t>(rows.length())};
  sample.layer.channel_axes = {0};
  sample.layer.block_axis = -1;
  sample.layer.parameters = static_cast<std::int64_t>(sample.weight.size());
  return sample;
}

double squared_error(const Sample& sample, const Candidate& candidate) {
  const std::vector<float> stored = quant::stored_values(sample.weight, sample.layer, candidate);
  double sum = 0;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const double error = static_cast<double>(stored[i]) - static_cast<double>(sample.weight[i]);
    sum += error * error;
  }
  return sum;
}

double error_ratio(const Sample& sample, int bits) {
  const double plain = squared_error(sample, {bits, "grid", 0});
  return plain > 0 ? squared_error(sample, {bits, "trellis", 0}) / plain : 1;
}

/// Those of a layer that are worth offering.
std::vector<CandidateScore> trellises_of(const LayerSensitivity& layer, const std::vector<float>& weight) {
  const Sample sample = sample_of(layer.layer, weight);
  std::vector<CandidateScore> trellises;
  for (const CandidateScore& score : layer.candidates) {
    const Candidate& grid = score.candidate;
    if (grid.form != "grid" || grid.block != 0 || grid.has_row_widths() || grid.bits > kWidest) continue;
    const double ratio = error_ratio(sample, grid.bits);
    if (ratio < kWorthwhile) trellises.push_back(trellis_like(score, layer.layer, ratio));
  }
  return trellises;
}

}  // namespace

void price_trellises(const std::function<std::vector<float>(std::size_t)>& weight, const AnalyzeOptions& options,
                     Sensitivity& scores) {
  const bool wanted = std::find(options.forms.begin(), options.forms.end(), "trellis") != options.forms.end();
  if (!wanted || options.scale_fit == "minmax" || options.store != "packed" || options.portable) return;
  parallel_for(scores.layers.size(), resolve_threads(options.threads), [&](std::size_t i, int) {
    add_candidates(trellises_of(scores.layers[i], weight(i)), scores.layers[i]);
  });
}

}  // namespace mpq
