#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "errors.h"
#include "examples.h"
#include "records/json_writer.h"

namespace mpq {
namespace {

using testing::HasSubstr;

const std::string kFile = "model.plan.json";

std::string rejected(const std::string& from, const std::string& to) {
  const std::string text = replaced(to_json(example_plan()), from, to);
  return invalid_input(kFile, [&] { plan_from_json(text, kFile); });
}

TEST(PlanJson, RoundTripsToTheSameText) {
  for (const Plan& plan : {example_plan(), Plan{}}) {
    const std::string text = to_json(plan);
    EXPECT_EQ(to_json(plan_from_json(text, kFile)), text);
  }
}

TEST(PlanJson, KeepsTheTimesAndTheirAbsence) {
  const Plan back = plan_from_json(to_json(example_plan()), kFile);
  EXPECT_EQ(back.time->processor, "cpu:0-1");
  EXPECT_EQ(back.time->budget, "8ms");
  EXPECT_EQ(back.time->limit_seconds, 0.008);
  EXPECT_EQ(back.time->predicted_seconds, 0.0075);
  EXPECT_EQ(back.time->float_seconds, 0.012);
  EXPECT_EQ(back.time->fastest_seconds, 0.006);
  EXPECT_EQ(back.time->noise, 0.03);
  EXPECT_EQ(back.entries[0].seconds, -0.0025);
  EXPECT_FALSE(plan_from_json(to_json(Plan{}), kFile).time);
}

TEST(PlanJson, KeepsEveryValue) {
  const Plan plan = plan_from_json(to_json(example_plan()), kFile), expected = example_plan();
  EXPECT_EQ(plan.model.bytes, expected.model.bytes);
  EXPECT_EQ(plan.budget, "4.5bit");
  EXPECT_TRUE(plan.counts_file);
  EXPECT_EQ(plan.limit_bytes, 30000);
  EXPECT_EQ(plan.stored_bytes, 2304);
  EXPECT_EQ(plan.file_bytes, 29999);
  EXPECT_EQ(plan.parameters, 4096);
  EXPECT_EQ(plan.predicted_damage, expected.predicted_damage);
  EXPECT_EQ(plan.lower_bound, 0.29);
  EXPECT_EQ(plan.optimality_gap, 0.033);
  EXPECT_TRUE(plan.uniform);
  EXPECT_EQ(plan.compute, "int8");
  ASSERT_EQ(plan.entries.size(), 3u);
  EXPECT_EQ(plan.entries[0].candidate, (Candidate{4, "grid", 32}));
  EXPECT_EQ(plan.entries[1].file_bytes, 593);
  EXPECT_EQ(plan.entries[1].reason, "override --layer '/head/*=2bit'");
  EXPECT_EQ(plan.entries[2].candidate, row_candidate(example_widths()));
}

TEST(PlanJson, NamesTheFieldThatIsWrong) {
  EXPECT_THAT(rejected("\"compute\": \"int8\"", "\"compute\": \"gpu\""), HasSubstr("\"gpu\" at compute; one of auto"));
  EXPECT_THAT(rejected("\"limit_bytes\": 30000", "\"limit_bytes\": -1"), HasSubstr("-1 at limit_bytes"));
  EXPECT_THAT(rejected("\"layer\": \"/head/Gemm\"", "\"layer\": \"/encoder/MatMul\""), HasSubstr("entries[1].layer"));
  EXPECT_THAT(rejected("\"row_bits\": \"37", "\"row_bits\": \"39"), HasSubstr("at entries[2].row_bits"));
  EXPECT_THAT(rejected("\"row_bits\": \"37", "\"row_bits\": \"7777"), HasSubstr("at entries[2].row_bits"));
  EXPECT_THAT(rejected("\"block\": 32", "\"block\": -32"), HasSubstr("-32 at entries[0].block"));
}

TEST(PlanJson, EveryMissingKeyIsNamed) {
  Plan plan = example_plan();
  plan.time.reset();  // may be missing
  const Json whole = Json::parse(to_json(plan));
  for (const auto& [key, ignored] : whole.items()) {
    Json part = whole;
    part.erase(key);
    const std::string text = part.dump();
    if (key == "portable") {  // younger than the schema version
      EXPECT_FALSE(plan_from_json(text, kFile).portable);
      continue;
    }
    EXPECT_THAT(invalid_input(kFile, [&] { plan_from_json(text, kFile); }), HasSubstr(key));
  }
}

}  // namespace
}  // namespace mpq
