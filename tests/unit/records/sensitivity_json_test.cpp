#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "errors.h"
#include "examples.h"
#include "records/json_writer.h"

namespace mpq {
namespace {

using testing::HasSubstr;

const std::string kFile = "model.sensitivity.json";

std::string rejected(const std::string& from, const std::string& to) {
  const std::string text = replaced(to_json(example_sensitivity()), from, to);
  return invalid_input(kFile, [&] { sensitivity_from_json(text, kFile); });
}

TEST(SensitivityJson, RoundTripsToTheSameText) {
  const std::string text = to_json(example_sensitivity());
  EXPECT_EQ(to_json(sensitivity_from_json(text, kFile)), text);
}

TEST(SensitivityJson, KeepsEveryValue) {
  const Sensitivity value = sensitivity_from_json(to_json(example_sensitivity()), kFile);
  const Sensitivity expected = example_sensitivity();
  EXPECT_EQ(value.model.sha256, expected.model.sha256);
  EXPECT_EQ(value.data.source, expected.data.source);
  EXPECT_EQ(value.settings.seed, expected.settings.seed);
  EXPECT_EQ(value.settings.bits, expected.settings.bits);
  EXPECT_EQ(value.settings.antithetic, false);
  EXPECT_EQ(value.outputs, expected.outputs);
  ASSERT_EQ(value.layers.size(), 2u);
  const Layer& layer = value.layers[1].layer;
  EXPECT_EQ(layer.name, "/head/Gemm");
  EXPECT_EQ(layer.graph, "If_0/then_branch");
  EXPECT_EQ(layer.shape, (std::vector<std::int64_t>{64, 32}));
  EXPECT_EQ(layer.channel_axes, std::vector<int>{1});
  ASSERT_EQ(layer.uses.size(), 2u);
  EXPECT_EQ(layer.uses[1].node, "other \"quoted\" \\ node");
  EXPECT_EQ(value.layers[0].standard_error, 1.0 / 3);
  EXPECT_EQ(value.layers[0].candidates[1].candidate, (Candidate{4, "grid", 32}));
  EXPECT_EQ(value.layers[0].candidates[2].damage, 5e-324);
  EXPECT_EQ(value.skipped[0].skip_reason, expected.skipped[0].skip_reason);
  EXPECT_EQ(value.size.fixed_bytes, 800);
  EXPECT_EQ(value.rank_stability, expected.rank_stability);
  EXPECT_TRUE(value.settled);
}

TEST(SensitivityJson, KeepsTheErrorsOfTrellises) {
  Sensitivity scores = example_sensitivity();
  CandidateScore& score = scores.layers[0].candidates[0];
  score.candidate = {3, "trellis", 0};
  score.error_ratio = .59;
  const Sensitivity value = sensitivity_from_json(to_json(scores), kFile);
  EXPECT_EQ(value.layers[0].candidates[0].candidate, score.candidate);
  EXPECT_EQ(value.layers[0].candidates[0].error_ratio, .59);
  EXPECT_EQ(value.layers[0].candidates[1].error_ratio, 0);
}

TEST(SensitivityJson, KeepsWhatJoinsTheParts) {
  Sensitivity part = example_sensitivity();
  part.shard = Shard{2, 3};
  part.layers[0].candidates[0].trial_damages = {0, 0.1, 5e-324};
  const Sensitivity value = sensitivity_from_json(to_json(part), kFile);
  ASSERT_TRUE(value.shard.has_value());
  EXPECT_EQ(to_string(*value.shard), "2/3");
  EXPECT_EQ(value.layers[0].candidates[0].trial_damages, (std::vector<double>{0, 0.1, 5e-324}));
  EXPECT_FALSE(sensitivity_from_json(to_json(example_sensitivity()), kFile).shard.has_value());
}

TEST(SensitivityJson, RejectsBrokenParts) {
  EXPECT_THAT(rejected("\"shard\": null", "\"shard\": \"4/3\""), HasSubstr("shard"));
  EXPECT_THAT(rejected("\"trials\": 12}", "\"trials\": 12, \"trial_damages\": [-1]}"), HasSubstr("trial_damages"));
}

TEST(SensitivityJson, StartsWithItsVersionAndKind) {
  EXPECT_EQ(to_json(example_sensitivity()).substr(0, 54),
            "{\n  \"schema_version\": 1,\n  \"record\": \"sensitivity\",\n  ");
}

TEST(SensitivityJson, AnEmptyOneRoundTrips) {
  const std::string text = to_json(Sensitivity{});
  EXPECT_EQ(to_json(sensitivity_from_json(text, kFile)), text);
}

TEST(SensitivityJson, KeepsTheEnginesAgreement) {
  Sensitivity value = example_sensitivity();
  EXPECT_FALSE(sensitivity_from_json(to_json(value), kFile).agreement.has_value());
  value.agreement = EngineAgreement{24, 0.75, 1.0 / 3};
  const Sensitivity back = sensitivity_from_json(to_json(value), kFile);
  ASSERT_TRUE(back.agreement.has_value());
  EXPECT_EQ(back.agreement->pairs, 24);
  EXPECT_EQ(back.agreement->rank_correlation, 0.75);
  EXPECT_EQ(back.agreement->median_ratio, 1.0 / 3);
}

TEST(SensitivityJson, KeepsNumbersThatAreNotFinite) {
  Sensitivity value = example_sensitivity();
  value.layers[0].candidates[0].damage = INFINITY;
  value.layers[0].score = NAN;
  const std::string text = to_json(value);
  const Sensitivity back = sensitivity_from_json(text, kFile);
  EXPECT_EQ(back.layers[0].candidates[0].damage, INFINITY);
  EXPECT_TRUE(std::isnan(back.layers[0].score));
  EXPECT_EQ(to_json(back), text);
}

TEST(SensitivityJson, NamesTheFieldThatIsWrong) {
  EXPECT_THAT(rejected("\"damage\": 0.3", "\"damage\": -0.3"), HasSubstr("-0.3 at layers[0].candidates[0].damage"));
  EXPECT_THAT(rejected("\"damage\": 0.3", "\"damage\": \"big\""),
              HasSubstr("\"big\" at layers[0].candidates[0].damage"));
  EXPECT_THAT(rejected("\"settled\": true", "\"settled\": 1"), HasSubstr("1 at settled"));
  EXPECT_THAT(rejected("\"seed\": 18446744073709551615", "\"seed\": -1"), HasSubstr("-1 at settings.seed"));
  EXPECT_THAT(rejected("\"form\": \"grid\"", "\"form\": \"waffle\""), HasSubstr("one of grid, trellis, half, float"));
  EXPECT_THAT(rejected("\"bits\": 2,", "\"bits\": 9,"), HasSubstr("a width from 2 to 8"));
  EXPECT_THAT(rejected("\"bits\": 16, \"form\"", "\"bits\": 15, \"form\""), HasSubstr("16 for the form half"));
  EXPECT_THAT(rejected("\"bits\": 32, \"form\"", "\"bits\": 31, \"form\""), HasSubstr("32 for the form float"));
  EXPECT_THAT(rejected("\"channel_axes\": [1]", "\"channel_axes\": [2]"), HasSubstr("layers[0].layer.channel_axes[0]"));
  EXPECT_THAT(rejected("\"shape\": [64, 32]", "\"shape\": [64, -32]"), HasSubstr("-32 at layers[0].layer.shape[1]"));
  EXPECT_THAT(rejected("\"stored_bytes\": 576", "\"stored_bytes\": 1e3"),
              HasSubstr("layers[0].candidates[0].stored_bytes"));
  EXPECT_THAT(rejected("\"name\": \"/head/Gemm\"", "\"name\": \"/encoder/MatMul\""),
              HasSubstr("layers[1].layer.name; a name that no other layer has"));
  EXPECT_THAT(rejected("\"bits\": 32, \"form\": \"float\"", "\"bits\": 8, \"form\": \"grid\""),
              HasSubstr("a list that ends with the form float"));
}

TEST(SensitivityJson, EveryMissingKeyIsNamed) {
  const Json whole = Json::parse(to_json(example_sensitivity()));
  for (const auto& [key, ignored] : whole.items()) {
    Json part = whole;
    part.erase(key);
    const std::string text = part.dump();
    if (key == "measured_as") {  // younger than the schema version: older records do without
      EXPECT_TRUE(sensitivity_from_json(text, kFile).measured_as.empty());
      continue;
    }
    if (key == "shard") {  // so are these
      EXPECT_FALSE(sensitivity_from_json(text, kFile).shard.has_value());
      continue;
    }
    if (key == "agreement") {
      EXPECT_FALSE(sensitivity_from_json(text, kFile).agreement.has_value());
      continue;
    }
    EXPECT_THAT(invalid_input(kFile, [&] { sensitivity_from_json(text, kFile); }), HasSubstr(key));
  }
}

}  // namespace
}  // namespace mpq
