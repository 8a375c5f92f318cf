#include "runtime/outputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

namespace mpq::runtime {
namespace {

const std::vector<ValueInfo> kOutputs = {{"boxes", DType::kFloat32, {}, {}, true},
                                         {"scores", DType::kFloat16, {}, {}, true},
                                         {"labels", DType::kInt64, {}, {}, true}};

std::vector<std::string> names(const std::vector<MeasuredOutput>& outputs) {
  std::vector<std::string> result;
  for (const MeasuredOutput& output : outputs) result.push_back(output.name);
  return result;
}

std::string usage_error(const std::string& glob, const std::vector<OutputRole>& roles) {
  try {
    measured_outputs(kOutputs, glob, roles);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.where() + ": " + error.what();
  }
  return "no error";
}

TEST(MeasuredOutputs, AreTheFloatingOnesWhereThereAreAny) {
  EXPECT_THAT(names(measured_outputs(kOutputs, "", {})), testing::ElementsAre("boxes", "scores"));
  EXPECT_THAT(names(measured_outputs(kOutputs, "label*", {})), testing::ElementsAre("labels"));
}

TEST(MeasuredOutputs, TakeWeightsAndKindsLaterOnesWin) {
  const auto outputs = measured_outputs(kOutputs, "",
                                        {OutputRole::parse_weight("*=3"), OutputRole::parse_weight("scores=0.5"),
                                         OutputRole::parse_kind("scores=logits")});
  ASSERT_EQ(outputs.size(), 2U);
  EXPECT_EQ(outputs[0].weight, 3);
  EXPECT_FALSE(outputs[0].kind.has_value());
  EXPECT_EQ(outputs[1].weight, 0.5);
  EXPECT_EQ(outputs[1].kind, OutputKind::kLogits);
}

TEST(MeasuredOutputs, OfWeightZeroAreLeftOut) {
  EXPECT_THAT(names(measured_outputs(kOutputs, "", {OutputRole::parse_weight("boxes=0")})),
              testing::ElementsAre("scores"));
  EXPECT_THAT(usage_error("", {OutputRole::parse_weight("*=0")}), testing::HasSubstr("Every output has the weight 0"));
}

TEST(MeasuredOutputs, PatternsMustMatch) {
  EXPECT_THAT(usage_error("nothing*", {}), testing::HasSubstr("boxes, scores, labels"));
  EXPECT_THAT(usage_error("", {OutputRole::parse_weight("box=2")}), testing::HasSubstr("--output-weight 'box=2'"));
}

TEST(OutputRole, RefusesWhatItCannotRead) {
  for (const char* text : {"boxes", "=1", "boxes=", "boxes=-1", "boxes=nan", "boxes=1e9", "boxes=2x"})
    EXPECT_THROW(OutputRole::parse_weight(text), Error) << text;
  for (const char* text : {"scores", "scores=", "scores=labels", "scores=softmax"})
    EXPECT_THROW(OutputRole::parse_kind(text), Error) << text;
}

}  // namespace
}  // namespace mpq::runtime
