#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "errors.h"
#include "examples.h"
#include "records/json_writer.h"

namespace mpq {
namespace {

using testing::HasSubstr;

const std::string kFile = "model.run.json";

Json document(const RunRecord& record) { return Json::parse(to_json(record)); }

TEST(RunRecordJson, RoundTripsToTheSameText) {
  RunRecord dry_run = example_run();
  dry_run.output.reset();
  dry_run.verification.reset();
  dry_run.cost.reset();
  RunRecord from_plan = example_run();
  from_plan.sensitivity.reset();
  from_plan.cost.reset();
  RunRecord analysis = example_run();
  analysis.plan.reset();
  for (const RunRecord& record : {example_run(), dry_run, from_plan, analysis, RunRecord{}}) {
    const std::string text = to_json(record);
    EXPECT_EQ(to_json(run_record_from_json(text, kFile)), text);
  }
}

TEST(RunRecordJson, KeepsWhatIsAbsentApartFromWhatIsThere) {
  const RunRecord back = run_record_from_json(to_json(example_run()), kFile);
  EXPECT_EQ(back.output->bytes, 29999);
  EXPECT_EQ(back.cost->trial_runs, 321);
  EXPECT_EQ(back.cost->full_rerun_equivalents, 410.5);
  EXPECT_EQ(back.drop_search->limit, "0.5%");
  EXPECT_EQ(back.drop_search->tried[1].file_bytes, 29000);
  EXPECT_EQ(back.drop_search->tried[1].found, 0.0125);
  EXPECT_FALSE(back.drop_search->tried[1].kept);
  EXPECT_EQ(back.latency->processor, "cpu:0-1");
  EXPECT_EQ(back.latency->limit_seconds, 0.008);
  EXPECT_EQ(back.latency->predicted_seconds, 0.0075);
  EXPECT_EQ(back.latency->measured_seconds, 0.0077);
  EXPECT_EQ(back.latency->spread_seconds, 0.0001);
  EXPECT_EQ(back.latency->original_seconds, 0.013);
  EXPECT_EQ(back.latency->profiled_seconds, 0.012);
  EXPECT_EQ(back.latency->load_seconds, 0.06);
  EXPECT_EQ(back.latency->original_load_seconds, 0.05);
  EXPECT_EQ(back.latency->noise, 0.03);
  EXPECT_EQ(back.latency->repairs, 2);
  EXPECT_EQ(back.run_forms, example_run().run_forms);
  EXPECT_EQ(back.options, example_run().options);
  EXPECT_EQ(back.environment, example_run().environment);
  EXPECT_EQ(back.timings_seconds, example_run().timings_seconds);
  EXPECT_EQ(back.warnings, example_run().warnings);
  EXPECT_EQ(*back.verification->outputs[0].top1_low, 0.9);
  EXPECT_FALSE(back.verification->outputs[1].kl.has_value());
  EXPECT_EQ(back.verification->accuracy->mcnemar_p, 0.5);
  EXPECT_FALSE(back.uniform_baseline->accuracy.has_value());
  const RunRecord empty = run_record_from_json(to_json(RunRecord{}), kFile);
  EXPECT_FALSE(empty.output || empty.sensitivity || empty.cost || empty.plan || empty.verification);
}

// The keys that docs/cli.md promises to scripts.
TEST(RunRecordJson, HoldsTheKeysOfTheCommandLineContract) {
  const Json json = document(example_run());
  const std::vector<std::string> pointers = {"/model/path",
                                             "/model/sha256",
                                             "/model/bytes",
                                             "/output/path",
                                             "/output/sha256",
                                             "/output/bytes",
                                             "/budget/requested",
                                             "/budget/counted",
                                             "/budget/limit_bytes",
                                             "/budget/achieved_bytes",
                                             "/budget/achieved_bits",
                                             "/layers/0/name",
                                             "/layers/0/op",
                                             "/layers/0/weight",
                                             "/layers/0/shape",
                                             "/layers/0/parameters",
                                             "/layers/0/bits",
                                             "/layers/0/form",
                                             "/layers/0/bytes",
                                             "/layers/0/sensitivity",
                                             "/layers/0/stderr",
                                             "/layers/0/reason",
                                             "/plan/predicted_damage",
                                             "/plan/optimality_gap",
                                             "/analysis/forward_equivalents",
                                             "/analysis/trials",
                                             "/analysis/place",
                                             "/analysis/metric",
                                             "/analysis/noise",
                                             "/verification/samples",
                                             "/verification/outputs/0/name",
                                             "/verification/outputs/0/sqnr_db",
                                             "/verification/outputs/0/relative_mse",
                                             "/verification/outputs/0/cosine",
                                             "/verification/outputs/0/kl",
                                             "/verification/outputs/0/top1_agreement",
                                             "/verification/outputs/0/max_abs",
                                             "/verification/accuracy",
                                             "/timings",
                                             "/peak_memory_bytes",
                                             "/environment",
                                             "/options",
                                             "/schema_version"};
  for (const std::string& pointer : pointers) EXPECT_TRUE(json.contains(Json::json_pointer(pointer))) << pointer;
}

TEST(RunRecordJson, TellsScriptsWhatThePlanHolds) {
  const Json json = document(example_run());
  EXPECT_EQ(
      json["budget"].dump(),
      R"({"requested":"4.5bit","counted":"file","limit_bytes":30000,"achieved_bytes":29999,"achieved_bits":4.5})");
  ASSERT_EQ(json["layers"].size(), 4u);
  EXPECT_EQ(json["layers"][0]["op"], "MatMul");
  EXPECT_EQ(json["layers"][0]["bits"], 4);
  EXPECT_EQ(json["layers"][0]["block"], 32);
  EXPECT_EQ(json["layers"][0]["bytes"], 1152);
  EXPECT_EQ(json["layers"][0]["sensitivity"], 0.1);
  EXPECT_EQ(json["layers"][3]["reason"], "Weights of LSTM are not quantized yet.");
  EXPECT_EQ(json["layers"][3]["bytes"], 4096);  // half floats
  EXPECT_TRUE(json["layers"][3]["sensitivity"].is_null());
  EXPECT_EQ(json["analysis"]["trials"], 12);
  EXPECT_EQ(json["verification"]["samples"], 50);
}

TEST(RunRecordJson, ShowsLayersWithoutAnAnalysisOrWithoutAPlan) {
  RunRecord record = example_run();
  record.sensitivity.reset();
  record.plan->counts_file = false;
  Json json = document(record);
  EXPECT_EQ(json["layers"].size(), 3u);
  EXPECT_TRUE(json["layers"][0]["op"].is_null());
  EXPECT_EQ(json["budget"]["counted"], "weights");
  EXPECT_EQ(json["budget"]["achieved_bytes"], 2304);
  record = example_run();
  record.plan.reset();
  json = document(record);
  EXPECT_EQ(json["layers"].size(), 3u);
  EXPECT_EQ(json["layers"][0]["form"], "float");
  EXPECT_EQ(json["layers"][0]["bytes"], 8192);
  EXPECT_TRUE(json["budget"].is_null());
}

TEST(RunRecordJson, AddsUpStagesThatRanTwice) {
  RunRecord record;
  record.timings_seconds = {{"quantize", 1.5}, {"verify", 1}, {"quantize", 2}};
  EXPECT_EQ(document(record)["timings"].dump(), R"({"quantize":3.5,"verify":1.0})");
}

TEST(RunRecordJson, KeepsFiguresThatAreNotFinite) {
  RunRecord record = example_run();
  record.verification->outputs[0].kl = NAN;
  record.verification->outputs[0].relative_mse = INFINITY;
  const std::string text = to_json(record);
  const RunRecord back = run_record_from_json(text, kFile);
  EXPECT_TRUE(std::isnan(*back.verification->outputs[0].kl));
  EXPECT_EQ(back.verification->outputs[0].relative_mse, INFINITY);
  EXPECT_EQ(to_json(back), text);
}

TEST(RunRecordJson, NamesTheFieldThatIsWrong) {
  const auto rejected = [](const std::string& from, const std::string& to) {
    const std::string text = replaced(to_json(example_run()), from, to);
    return invalid_input(kFile, [&] { run_record_from_json(text, kFile); });
  };
  EXPECT_THAT(rejected("\"rows\": 50", "\"rows\": -1"), HasSubstr("-1 at verification.outputs[0].rows"));
  EXPECT_THAT(rejected("\"compute\": \"int8\"", "\"compute\": 8"), HasSubstr("8 at plan.compute"));
  EXPECT_THAT(rejected("\"settled\": true", "\"settled\": null"), HasSubstr("null at sensitivity.settled"));
  EXPECT_THAT(rejected("\"warnings\": [", "\"warnings\": [3, "), HasSubstr("3 at warnings[0]"));
}

}  // namespace
}  // namespace mpq
