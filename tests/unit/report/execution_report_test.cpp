#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "mpq/error.h"
#include "mpq/execution.h"

namespace mpq {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

/// Two stages on two processors; the second one moved to the first after a loss.
ExecutionRecord sample() {
  ExecutionRecord record;
  record.model.path = "net<1>.onnx";
  record.precision = "float32";
  record.processors = {"cpu:0", "cpu:1"};
  record.segments = {"conv1", "conv2", "fc<&>"};
  record.placement.task = TaskKind::kAsync;
  record.placement.strategy = "pipeline";
  record.placement.rate = 100;
  record.placement.seconds = 0.02;
  Lane lane;
  lane.subnets = {{{0, 1}, {0}, {0.01}, 0}, {{2}, {1}, {0.008}, 0}};
  lane.rate = 100;
  lane.seconds = 0.02;
  lane.in_flight = 4;
  record.placement.lanes = {lane};
  record.placement.alternatives = {{"single processor", 55, 0.018}, {"replicas", 90, 0.02}, {"pipeline", 100, 0.02}};
  record.requests = 50;
  record.seconds = 0.55;
  record.rate = 90.9;
  record.median_seconds = 0.022;
  record.p90_seconds = 0.03;
  record.most_seconds = 0.05;
  record.subnets = {{0, 0, 0, 50, 0.01, 0.011}, {0, 1, 0, 20, 0, 0.009}, {0, 1, 1, 30, 0.008, 0.008}};
  record.timeline = {{10, 0, 0, 0, 1.0, 1.01}, {10, 0, 1, 1, 1.01, 1.018}, {11, 0, 0, 0, 1.01, 1.02}};
  record.health = {{"", 70, 0.7}, {"A run has not returned.", 30, 0.24}};
  return record;
}

std::string table(const ExecutionRecord& record, bool explain = true) {
  ReportOptions options;
  options.width = 120;
  return render(record, options, explain);
}

TEST(ExecutionReport, ShowsPredictedBesideMeasured) {
  const std::string text = table(sample());
  EXPECT_THAT(text, HasSubstr("pipeline: 100 requests/s; single processor 55 requests/s; replicas 90 requests/s"));
  EXPECT_THAT(text, ContainsRegex("conv1 ... conv2 \\(2\\) +cpu:0 +50 +10 ms +11 ms +\\+10.0 %"));
  EXPECT_THAT(text, ContainsRegex("fc<&> +cpu:0 \\(took over\\) +20 +- +9 ms +-"));
  EXPECT_THAT(text, ContainsRegex("requests per second +100 +90.9 +-9.1 %"));
  EXPECT_THAT(text, HasSubstr("cpu:1 was lost: A run has not returned."));
}

TEST(ExecutionReport, ShowsTheLowerBoundOfASynchronousTask) {
  ExecutionRecord record = sample();
  record.placement.task = TaskKind::kSync;
  record.placement.critical_path = 0.009;
  record.placement.work_bound = 0.0095;
  EXPECT_THAT(table(record), HasSubstr("9.5 ms: the longest chain takes 9 ms, the work divided by the processors 9.5 ms"));
}

TEST(ExecutionReport, DrawsWhoWorksWhen) {
  const std::string text = table(sample());
  EXPECT_THAT(text, ContainsRegex("cpu:0 \\|a+b+"));
  EXPECT_THAT(text, ContainsRegex("cpu:1 \\|\\.+a+\\."));
  EXPECT_THAT(table(sample(), false), Not(HasSubstr("Timeline")));
}

TEST(ExecutionReport, SaysWhichRequestsFailed) {
  ExecutionRecord record = sample();
  record.failed = 2;
  record.failure = "An index is out of range.";
  EXPECT_THAT(table(record), HasSubstr("2 requests failed, the first: An index is out of range."));
}

TEST(ExecutionReport, PutsAnyNameSafelyIntoThePage) {
  const std::string page = render(sample(), {.format = "html", .frontier = {}, .uniforms = {}});
  EXPECT_THAT(page, HasSubstr("net&lt;1&gt;.onnx"));
  EXPECT_THAT(page, HasSubstr("fc&lt;&amp;&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("fc<&>")));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, HasSubstr("A run has not returned."));
}

TEST(ExecutionReport, IsOneJsonDocument) {
  const auto json = nlohmann::json::parse(render(sample(), {.format = "json", .frontier = {}, .uniforms = {}}));
  EXPECT_EQ(json["record"], "execution");
  EXPECT_EQ(json["placement"]["lanes"][0]["subnets"][1]["processors"][0]["name"], "cpu:1");
  EXPECT_TRUE(json["placement"]["lower_bound_seconds"].is_null());
  EXPECT_EQ(json["processors"][1]["lost"], "A run has not returned.");
  EXPECT_EQ(json["measured"]["subnets"].size(), 3U);
}

TEST(ExecutionReport, RefusesFormatsItDoesNotHave) {
  EXPECT_THROW(render(sample(), {.format = "csv", .frontier = {}, .uniforms = {}}), Error);
}

}  // namespace
}  // namespace mpq
