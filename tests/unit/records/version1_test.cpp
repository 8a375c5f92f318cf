#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "mpq/run_record.h"

#include "records/json_writer.h"
#include "schema.h"

// Records of schema version 1 as the first builds wrote them, frozen: they must stay readable and valid.

namespace mpq {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::string frozen(const std::string& name) {
  std::ifstream file(std::string(MPQ_OLD_RECORDS) + "/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

TEST(Version1, AnalysesAndPlansStayReadable) {
  const Sensitivity scores = sensitivity_from_json(frozen("sensitivity.json"), "sensitivity.json");
  EXPECT_EQ(scores.layers.size() + scores.skipped.size(), 3U);
  EXPECT_EQ(scores.layers[0].candidates.size(), 3U);
  EXPECT_GT(scores.layers[0].score, 0);
  const Plan plan = plan_from_json(frozen("plan.json"), "plan.json");
  EXPECT_EQ(plan.budget, "6bit");
  EXPECT_LE(plan.stored_bytes, plan.limit_bytes);
}

TEST(Version1, RunsStayReadable) {
  const RunRecord run = run_record_from_json(frozen("run.json"), "run.json");
  EXPECT_EQ(run.command, "quantize");
  EXPECT_EQ(run.plan->entries.size(), run.sensitivity->layers.size());
  EXPECT_EQ(run.verification->outputs.size(), 1U);
  EXPECT_EQ(run.verification->accuracy->samples, 20);
}

// The values of repeated options were joined.
TEST(Version1, JoinedOptionsAreTakenApart) {
  const RunRecord run = run_record_from_json(frozen("run.json"), "run.json");
  std::vector<std::pair<std::string, std::string>> layers;
  for (const auto& option : run.options) {
    if (option.first == "layer") layers.push_back(option);
  }
  EXPECT_THAT(layers, ElementsAre(Pair("layer", "conv2=8bit"), Pair("layer", "fc*=4bit")));
  EXPECT_EQ(Json::parse(to_json(run))["options"]["layer"], Json::array({"conv2=8bit", "fc*=4bit"}));
}

TEST(Version1, RecordsStayValid) {
  const SchemaChecker schemas(MPQ_SCHEMA_DIR, {"sensitivity", "plan", "run"});
  for (const std::string name : {"sensitivity", "plan", "run"})
    EXPECT_THAT(schemas.problems(name, Json::parse(frozen(name + ".json"))), IsEmpty()) << name;
}

}  // namespace
}  // namespace mpq
