#include "encode/plan_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "small_models.h"

namespace mpq::encode::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PlanCheck : public ModelFiles {
 protected:
  void SetUp() override {
    ModelFiles::SetUp();
    model_ = std::make_unique<Model>(load(model_proto(kProducts)));
    plan_ = plan_for(*model_, {{4, "grid", 0}});
  }
  /// The message of the refusal, which must name `where`.
  std::string refused(const std::string& where) const {
    try {
      planned_candidates(*model_, plan_);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
      EXPECT_EQ(error.where(), where);
      EXPECT_THAT(error.hint(), HasSubstr("mpq plan"));
      return error.what();
    }
    return "no error";
  }
  std::unique_ptr<Model> model_;
  Plan plan_;
};

TEST_F(PlanCheck, GivesCandidatesInTheModelsOrder) {
  plan_.entries[1].candidate = {16, "half", 0};
  plan_.entries[2].candidate = {};
  std::swap(plan_.entries[0], plan_.entries[2]);
  EXPECT_THAT(planned_candidates(*model_, plan_),
              ElementsAre(Candidate{4, "grid", 0}, Candidate{16, "half", 0}, Candidate{}));
}

TEST_F(PlanCheck, AcceptsBlocksThatDivideTheAxis) {
  plan_.entries[0].candidate.block = 16;  // w1 has 32 inputs
  EXPECT_EQ(planned_candidates(*model_, plan_)[0].block, 16);
  plan_.entries[0].candidate.block = 12;
  EXPECT_THAT(refused("MatMul_0"), HasSubstr("asks for '4bit/b12', but the layer has 32 weights per channel there"));
  plan_.entries[0].candidate.block = -16;
  EXPECT_THAT(refused("MatMul_0"), HasSubstr("no multiple of the block"));
}

TEST_F(PlanCheck, LeavesLayersItDoesNotNameAsTheyAre) {
  plan_.entries.erase(plan_.entries.begin() + 1);
  EXPECT_EQ(planned_candidates(*model_, plan_)[1], Candidate{});
}

TEST_F(PlanCheck, RefusesLayersTooMany) {
  const PlanEntry entry = plan_.entries[1];
  plan_.entries.erase(plan_.entries.begin() + 1);
  plan_.entries.insert(plan_.entries.end(), {entry, entry});
  EXPECT_THAT(refused("second"), HasSubstr("names the layer twice"));
  plan_.entries.back().layer = "unknown";
  EXPECT_THAT(refused("unknown"), HasSubstr("no quantizable layer of the model"));
}

TEST_F(PlanCheck, RefusesAnotherNumberOfWeights) {
  plan_.entries[1].parameters = 7;
  EXPECT_THAT(refused("second"), HasSubstr("gives the layer 7 weights, and the model has 2048"));
}

TEST_F(PlanCheck, RefusesFormsItDoesNotWrite) {
  for (const Candidate& candidate :
       {Candidate{1, "grid", 0}, Candidate{9, "grid", 0}, Candidate{7, "trellis", 0}, Candidate{4, "trellis", 64}}) {
    plan_.entries[2].candidate = candidate;
    EXPECT_THAT(refused("third"), HasSubstr("a form this version of mpq does not write"));
  }
}

TEST_F(PlanCheck, RefusesWidthsThatAreNotOnePerRow) {
  const std::int64_t rows =
      model_->layers().at(2).shape.at(static_cast<std::size_t>(model_->layers()[2].channel_axes[0]));
  std::vector<std::uint8_t> widths(static_cast<std::size_t>(rows), 3);
  widths.back() = 4;
  plan_.entries[2].candidate = row_candidate(widths);
  EXPECT_NO_THROW(planned_candidates(*model_, plan_));
  widths.push_back(3);
  plan_.entries[2].candidate = row_candidate(widths);
  EXPECT_THAT(refused("third"), HasSubstr("widths of " + std::to_string(rows + 1) + " rows"));
  plan_.entries[2].candidate = parse_candidate("3bit/rows");
  EXPECT_THAT(refused("third"), HasSubstr("widths of 0 rows"));
}

TEST_F(PlanCheck, RefusesPlansOfOtherModels) {
  plan_.model.sha256 = model_->facts().sha256;
  EXPECT_NO_THROW(planned_candidates(*model_, plan_));
  plan_.model.sha256 = "0123";
  EXPECT_THAT(refused(model_->facts().path), HasSubstr("for SHA-256 0123, and this one has " + model_->facts().sha256));
}

TEST_F(PlanCheck, RefusesBlocksWhereThereIsNoAxisForThem) {
  model_ = std::make_unique<Model>(load(model_proto(kConvolutions)));
  ASSERT_LT(model_->layers().at(0).block_axis, 0);
  plan_ = plan_for(*model_, {{4, "grid", 0}});
  plan_.entries.at(0).candidate.block = 3;
  EXPECT_THAT(refused("Conv_0"), HasSubstr("no axis for blocks"));
}

TEST(LeavesUnchanged, FloatsAndHalvesThatAreHalvesAlready) {
  Layer layer;
  layer.dtype = "float32";
  EXPECT_TRUE(leaves_unchanged(layer, {}));
  EXPECT_FALSE(leaves_unchanged(layer, {16, "half", 0}));
  EXPECT_FALSE(leaves_unchanged(layer, {8, "grid", 0}));
  for (const char* dtype : {"float16", "bfloat16"}) {
    layer.dtype = dtype;
    EXPECT_TRUE(leaves_unchanged(layer, {16, "half", 0}));
    EXPECT_FALSE(leaves_unchanged(layer, {8, "grid", 0}));
  }
}

}  // namespace
}  // namespace mpq::encode::testing
