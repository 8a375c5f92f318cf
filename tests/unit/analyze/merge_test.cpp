#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/analyze.h"
#include "mpq/error.h"

#include "analyze/engine.h"
#include "fixtures.h"

namespace mpq {
namespace {

using ::testing::HasSubstr;
using testing_models::gaussian_samples;
using testing_models::load;
using testing_models::residual_mlp;

const std::vector<Candidate> kCandidates = {{2, "grid", 0}, {4, "grid", 0}, {32, "float", 0}};

Sensitivity analyzed(const AnalyzeOptions& options, std::optional<Shard> shard) {
  AnalyzeOptions own = options;
  own.shard = shard;
  const std::vector<std::vector<Candidate>> candidates(3, kCandidates);
  return perturb::analyze_candidates(load(residual_mlp()), gaussian_samples("x", {1, 32}, 11), candidates, own,
                                     silent_observer(), nullptr);
}

std::vector<Sensitivity> all_parts(const AnalyzeOptions& options, int parts) {
  std::vector<Sensitivity> result;
  for (int part = 1; part <= parts; ++part) result.push_back(analyzed(options, Shard{part, parts}));
  return result;
}

void expect_parts_to_be_the_whole(const AnalyzeOptions& options) {
  const std::string whole = to_json(analyzed(options, std::nullopt));
  for (const int count : {1, 2, 3, 11}) {
    std::vector<Sensitivity> parts = all_parts(options, count);
    std::reverse(parts.begin(), parts.end());  // any order
    EXPECT_EQ(to_json(merge_parts(parts)), whole) << count << " parts";
  }
}

TEST(Merge, PartsOfTheAdjointAreTheWhole) {
  AnalyzeOptions options;
  options.max_trials = 11;
  expect_parts_to_be_the_whole(options);
}

TEST(Merge, PartsOfRerunsAreTheWhole) {
  AnalyzeOptions options;
  options.engine = "rounding";
  options.trials = 11;
  options.aggregation = "quantile";
  options.quantile = .7;
  expect_parts_to_be_the_whole(options);
}

TEST(Merge, PartsOfRandomNoiseAreTheWhole) {
  AnalyzeOptions options;
  options.engine = "noise";
  options.noise = "gaussian";
  options.trials = 13;  // more trials than samples: another draw on the same sample
  options.aggregation = "max";
  expect_parts_to_be_the_whole(options);
}

/// A record of `parts` parts with one layer, for what no model is needed for.
std::vector<Sensitivity> small_parts(int parts) {
  AnalyzeOptions options;
  options.engine = "rounding";
  options.trials = 8;
  return all_parts(options, parts);
}

void expect_refusal(const std::vector<Sensitivity>& parts, ErrorCode code, const std::string& text) {
  try {
    merge_parts(parts);
    FAIL() << "no error about " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(text));
  }
}

TEST(Merge, RefusesWhatIsNotAllOfOneAnalysis) {
  const std::vector<Sensitivity> good = small_parts(2);
  expect_refusal({}, ErrorCode::kUsage, "no part");
  expect_refusal({good[1]}, ErrorCode::kUsage, "Part 1/2 is missing");
  expect_refusal({good[0], good[0]}, ErrorCode::kUsage, "twice");
  expect_refusal({good[0], merge_parts(good)}, ErrorCode::kUsage, "whole analysis");
  expect_refusal({good[0], small_parts(3)[1]}, ErrorCode::kUsage, "divide the analysis differently");
  Sensitivity hostile = good[0];  // claims no memory for parts that nobody gave
  hostile.shard = Shard{1, 2'000'000'000};
  expect_refusal({hostile}, ErrorCode::kUsage, "Part 2/2000000000 is missing");
  const auto spoiled = [&](const std::function<void(Sensitivity&)>& spoil) {
    std::vector<Sensitivity> parts = good;
    spoil(parts[1]);
    return parts;
  };
  expect_refusal(spoiled([](Sensitivity& s) { s.model.sha256 = "other"; }), ErrorCode::kInvalidInput, "models");
  expect_refusal(spoiled([](Sensitivity& s) { s.data.sha256 = "other"; }), ErrorCode::kInvalidInput, "samples");
  expect_refusal(spoiled([](Sensitivity& s) { s.settings.seed = 9; }), ErrorCode::kInvalidInput, "settings");
  expect_refusal(spoiled([](Sensitivity& s) { s.outputs = {"z"}; }), ErrorCode::kInvalidInput, "outputs");
  expect_refusal(spoiled([](Sensitivity& s) { s.layers[0].candidates.erase(s.layers[0].candidates.begin()); }),
                 ErrorCode::kInvalidInput, "different forms");
  expect_refusal(spoiled([](Sensitivity& s) { s.layers.pop_back(); }), ErrorCode::kInvalidInput, "does not know");
}

TEST(Merge, ALayerThatFailedInOnePartStaysAsItIs) {
  std::vector<Sensitivity> parts = small_parts(2);
  for (Sensitivity& part : parts) {
    part.size.base_bytes = 1000;
    part.size.quantizable_parameters = 2000;
    part.layers[1].candidates.back().file_bytes = 300;
  }
  Layer failed = parts[1].layers[1].layer;
  failed.skip_reason = "It cannot be perturbed.";
  parts[1].skipped.push_back(failed);
  parts[1].layers.erase(parts[1].layers.begin() + 1);
  const Sensitivity merged = merge_parts(parts);
  ASSERT_EQ(merged.layers.size(), 2U);
  ASSERT_EQ(merged.skipped.size(), 1U);
  EXPECT_EQ(merged.skipped[0].skip_reason, failed.skip_reason);
  EXPECT_EQ(merged.size.base_bytes, 1300);
  EXPECT_EQ(merged.size.quantizable_parameters, 2000 - failed.parameters);
}

TEST(Merge, AnUnexercisedLayerKeepsItsPriceUnlessAPartExercisesIt) {
  std::vector<Sensitivity> parts = small_parts(2);
  const auto silence = [](LayerSensitivity& layer, double price) {
    layer.score = layer.standard_error = price;
    for (std::size_t c = 0; c + 1 < layer.candidates.size(); ++c) {
      CandidateScore& score = layer.candidates[c];
      score.damage = score.standard_error = price;
      std::fill(score.trial_damages.begin(), score.trial_damages.end(), 0.0);
    }
  };
  silence(parts[0].layers[0], 3);
  silence(parts[1].layers[0], 5);
  silence(parts[0].layers[1], 7);
  const double exercised = parts[1].layers[1].candidates[1].damage;
  const Sensitivity merged = merge_parts(parts);
  EXPECT_DOUBLE_EQ(merged.layers[0].score, 4);
  EXPECT_DOUBLE_EQ(merged.layers[0].candidates[0].damage, 4);
  EXPECT_DOUBLE_EQ(merged.layers[0].candidates[1].standard_error, 4);
  EXPECT_NEAR(merged.layers[1].candidates[1].damage, exercised / 2, 1e-12);
}

TEST(Merge, AnEmptyPartIsRefused) {
  AnalyzeOptions options;
  options.engine = "rounding";
  options.trials = 4;
  try {
    analyzed(options, Shard{5, 5});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("4 trials"));
  }
}

TEST(Shard, ReadsWhatItWrites) {
  const Shard shard = Shard::parse("3/12");
  EXPECT_EQ(shard.part, 3);
  EXPECT_EQ(shard.parts, 12);
  EXPECT_EQ(to_string(shard), "3/12");
  for (const char* bad : {"", "3", "/", "0/4", "5/4", "-1/4", "1/4x", "1 /4", "a/b", "1/99999999999"})
    EXPECT_THROW(Shard::parse(bad), Error) << bad;
}

}  // namespace
}  // namespace mpq
