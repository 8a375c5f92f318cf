#include "prices/trellis_prices.h"

#include <cmath>

#include <gmock/gmock.h>

#include "quantize/quantize_weight.h"
#include "support/random.h"

namespace mpq {
namespace {

constexpr std::int64_t kRows = 8, kColumns = 256;

Layer layer_named(const std::string& name) {
  Layer layer;
  layer.name = name;
  layer.op = "Gemm";
  layer.dtype = "float32";
  layer.shape = {kRows, kColumns};
  layer.parameters = kRows * kColumns;
  layer.channel_axes = {0};
  return layer;
}

/// The first layer has heavy tails; the second holds the integers of a 3-bit grid, which no trellis betters.
std::vector<float> weight(std::size_t layer) {
  std::vector<float> weights(static_cast<std::size_t>(kRows * kColumns));
  fill_gaussian(Philox(7, layer), weights);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = layer == 0 ? weights[i] * std::fabs(weights[i]) : static_cast<float>(static_cast<int>(i % 8) - 4);
  }
  return weights;
}

Sensitivity analysis() {
  Sensitivity scores;
  for (const char* name : {"tails", "integers"}) {
    LayerSensitivity& layer = scores.layers.emplace_back();
    layer.layer = layer_named(name);
    for (const int bits : {3, 4, 8}) {
      const Candidate candidate{bits, "grid", 0};
      layer.candidates.push_back({candidate, stored_bytes(layer.layer, candidate), 0, "", 0.5 / bits, 0.1 / bits, 4});
    }
    layer.candidates.push_back({Candidate{}, stored_bytes(layer.layer, {}), 0, "", 0, 0, 4});
  }
  return scores;
}

std::vector<std::string> names(const LayerSensitivity& layer) {
  std::vector<std::string> result;
  for (const CandidateScore& score : layer.candidates) result.push_back(to_string(score.candidate));
  return result;
}

double squared_error(const std::vector<float>& weights, const Candidate& candidate) {
  const std::vector<float> stored = quant::stored_values(weights, layer_named(""), candidate);
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) sum += std::pow(double{stored[i]} - weights[i], 2);
  return sum;
}

AnalyzeOptions with_trellises() {
  AnalyzeOptions options;
  options.forms = {"blocks", "trellis", "grid"};
  return options;
}

TEST(TrellisPrices, AreTheGridsTimesTheRatioOfErrors) {
  Sensitivity scores = analysis();
  price_trellises(weight, with_trellises(), scores);
  EXPECT_THAT(names(scores.layers[0]),
              testing::ElementsAre("3bit", "3bit/trellis", "4bit", "4bit/trellis", "8bit", "float"));
  for (const std::size_t c : {0, 2}) {
    const CandidateScore &grid = scores.layers[0].candidates[c], &book = scores.layers[0].candidates[c + 1];
    const double ratio = squared_error(weight(0), book.candidate) / squared_error(weight(0), grid.candidate);
    EXPECT_LT(ratio, 0.9);
    EXPECT_NEAR(book.damage, ratio * grid.damage, 1e-9);
    EXPECT_NEAR(book.standard_error, ratio * grid.standard_error, 1e-9);
    EXPECT_EQ(book.stored_bytes, grid.stored_bytes + (2 << grid.candidate.bits));
  }
}

TEST(TrellisPrices, NoneWhereTheGridIsAsGood) {
  Sensitivity scores = analysis();
  price_trellises(weight, with_trellises(), scores);
  EXPECT_EQ(names(scores.layers[1])[1], "4bit") << "no 3-bit trellis";
}

TEST(TrellisPrices, NoneUnlessAskedForAndNoneWhereTheFileCanHoldNone) {
  AnalyzeOptions plain, baseline, fast, portable;
  plain.forms = {"blocks", "grid"};
  baseline.scale_fit = "minmax";
  fast.store = "fast";
  portable.portable = true;
  for (const AnalyzeOptions& options : {plain, baseline, fast, portable}) {
    Sensitivity scores = analysis();
    price_trellises(weight, options, scores);
    EXPECT_THAT(names(scores.layers[0]), testing::ElementsAre("3bit", "4bit", "8bit", "float"));
  }
}

}  // namespace
}  // namespace mpq
