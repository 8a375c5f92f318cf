#include "prices/codebook_prices.h"

#include <algorithm>
#include <span>

#include "prices/derived_candidates.h"
#include "quantize/codebook.h"
#include "support/parallel.h"

namespace mpq {

namespace {

constexpr int kWidestCodebook = 6;
constexpr double kWorthwhile = 0.9;  // of the grid's squared error

/// One grid and what the codebook of its width makes of its error.
struct Pair {
  std::size_t layer = 0, candidate = 0;
  double ratio = 1;
};

double squared_error(std::span<const float> weight, const Layer& layer, const Candidate& candidate) {
  const std::vector<float> stored = quant::stored_values(weight, layer, candidate);
  double sum = 0;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    const double error = static_cast<double>(stored[i]) - weight[i];
    sum += error * error;
  }
  return sum;
}

double error_ratio(std::span<const float> weight, const Layer& layer, const Candidate& grid) {
  const double plain = squared_error(weight, layer, grid);
  return plain > 0 ? squared_error(weight, layer, {grid.bits, "codebook", 0}) / plain : 1;
}

std::vector<Pair> pairs_of(const Sensitivity& scores) {
  std::vector<Pair> pairs;
  for (std::size_t l = 0; l < scores.layers.size(); ++l) {
    for (std::size_t c = 0; c < scores.layers[l].candidates.size(); ++c) {
      const Candidate& grid = scores.layers[l].candidates[c].candidate;
      if (grid.form == "grid" && grid.block == 0 && !grid.has_row_widths() && grid.bits <= kWidestCodebook)
        pairs.push_back({l, c});
    }
  }
  return pairs;
}

CandidateScore codebook_score(const LayerSensitivity& layer, const Pair& pair) {
  CandidateScore score = layer.candidates[pair.candidate];
  score.candidate.form = "codebook";
  score.stored_bytes = stored_bytes(layer.layer, score.candidate);
  score.damage *= pair.ratio;
  score.standard_error *= pair.ratio;
  return score;
}

}  // namespace

void price_codebooks(const std::function<std::vector<float>(std::size_t)>& weight, const AnalyzeOptions& options,
                     Sensitivity& scores) {
  const bool wanted = std::find(options.forms.begin(), options.forms.end(), "codebook") != options.forms.end();
  if (!wanted || options.scale_fit == "minmax") return;
  std::vector<Pair> pairs = pairs_of(scores);
  parallel_for(pairs.size(), resolve_threads(options.threads), [&](std::size_t i, int) {
    const LayerSensitivity& layer = scores.layers[pairs[i].layer];
    pairs[i].ratio = error_ratio(weight(pairs[i].layer), layer.layer, layer.candidates[pairs[i].candidate].candidate);
  });
  std::vector<std::vector<CandidateScore>> added(scores.layers.size());
  for (const Pair& pair : pairs) {
    if (pair.ratio < kWorthwhile) added[pair.layer].push_back(codebook_score(scores.layers[pair.layer], pair));
  }
  for (std::size_t l = 0; l < added.size(); ++l) add_candidates(std::move(added[l]), scores.layers[l]);
}

}  // namespace mpq
