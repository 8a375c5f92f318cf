#include "report/sections.h"

#include <gmock/gmock.h>

#include "sample_records.h"

namespace mpq::report {
namespace {

using testing::HasSubstr;
using testing::Not;

const Style kStyle(false, false, 100);

TEST(Sections, TitlesFitTheWidth) {
  const std::string text = title("quantize", std::string(300, 'x'), "0.1.0", kStyle);
  EXPECT_EQ(text.find('\n'), 100U);
  EXPECT_THAT(text, HasSubstr("mpq 0.1.0\n"));
}

TEST(Sections, PlanNamesWhatTheBudgetCounts) {
  Plan plan = report_test::sample_plan();
  EXPECT_THAT(plan_fields(plan, kStyle), HasSubstr("6bit: at most 8,598 bytes for the quantizable weights"));
  EXPECT_THAT(plan_fields(plan, kStyle), HasSubstr("6,308 bytes (73.4 % of the budget)"));
  plan.counts_file = true;
  EXPECT_THAT(plan_fields(plan, kStyle), HasSubstr("bytes for the whole file"));
  EXPECT_THAT(plan_fields(plan, kStyle), HasSubstr("9,900 bytes"));
}

TEST(Sections, PlansTellTheirTimeWhereAProfileTold) {
  Plan plan = report_test::sample_plan();
  EXPECT_THAT(plan_fields(plan, kStyle), Not(HasSubstr("Predicted")));
  plan.time = PlanTime{"cpu:0-1", "8ms", 0.008, 0.0075, 0.012, 0.006, 0.03};
  EXPECT_THAT(
      plan_fields(plan, Style(false, false, 200)),
      HasSubstr("Predicted  7.5 ms on cpu:0-1, at most 8ms asked for; float takes 12 ms, the fastest plan of this "
                "size 6 ms; the profile's noise is 3.0 %"));
}

TEST(Sections, LatencyIsJudgedAtTheProfilesPace) {
  LatencyCheck check{"cpu:0-1", "8ms", 0.008, 0.0075, 0.0154, 0.0001, 0.024, 0.012, 0.05, 0.04, 0.03, 1};
  EXPECT_EQ(latency_text(check),
            "7.7 ms on cpu:0-1, measured; meets 8ms; predicted 7.5 ms; the original 24 ms beside it, 12 ms in the "
            "profile: 0.64 of its time; loading takes 50 ms, the original's 40 ms; 1 slower model written before it");
  check.measured_seconds = 0.018;
  EXPECT_THAT(latency_text(check), HasSubstr("9 ms on cpu:0-1, measured; misses 8ms"));
}

TEST(Sections, LatencyWithoutAProfilePredictsNothing) {
  LatencyCheck check;
  check.processor = "one core";
  check.measured_seconds = 0.0154;
  check.original_seconds = 0.0148;
  EXPECT_EQ(latency_text(check), "15.4 ms on one core, measured; the original 14.8 ms beside it: 1.04 of its time");
  EXPECT_TRUE(check.is_slower());
  check.spread_seconds = 0.0002;
  EXPECT_FALSE(check.is_slower()) << "within the spread";
  check.spread_seconds = 0;
  check.measured_seconds = 1.02 * check.original_seconds;
  EXPECT_FALSE(check.is_slower()) << "within 3 %";
}

TEST(Sections, UnsettledRankingsSayWhatCuresThem) {
  Sensitivity scores = report_test::sample_sensitivity();
  EXPECT_THAT(method_fields(scores, kStyle), HasSubstr("; settled"));
  scores.settled = false;
  EXPECT_THAT(method_fields(scores, kStyle), HasSubstr("NOT settled"));
  EXPECT_THAT(method_fields(scores, kStyle), HasSubstr("--max-trials"));
  scores.settings.trials = 8;
  EXPECT_THAT(method_fields(scores, kStyle), HasSubstr("8 trials per candidate"));
  EXPECT_THAT(method_fields(scores, kStyle), Not(HasSubstr("settled"))) << "a fixed number of trials settles nothing";
}

TEST(Sections, TheAdjointHasSamplesAndProbesInsteadOfTrials) {
  Sensitivity scores = report_test::sample_sensitivity();
  scores.settings.engine = "adjoint";
  scores.settings.probes = 1;
  scores.settings.max_trials = 20;
  scores.data.samples = 12;
  EXPECT_THAT(method_text(scores), HasSubstr("reverse passes (adjoint), 1 probe a sample"));
  EXPECT_THAT(method_text(scores), HasSubstr("; 12 samples;"));
  scores.agreement = EngineAgreement{24, 0.9876, 1.05};
  EXPECT_THAT(ranking_text(scores), HasSubstr("24 candidates rerun: rank correlation 0.988, the adjoint's price 1.05"));
}

TEST(Sections, CostIsInForwardPasses) {
  const std::string text = cost_field(AnalysisCost{12.5, 0.002, 163.4, 6912, 720}, kStyle);
  EXPECT_THAT(text, HasSubstr("163 forward passes (720 runs)"));
  EXPECT_THAT(text, HasSubstr("6,912, 42.3 times as many"));
}

TEST(Sections, SkippedWeightsAreGroupedByReason) {
  Sensitivity scores = report_test::sample_sensitivity();
  scores.skipped.push_back(scores.skipped[0]);
  scores.skipped.back().name = "tiny";
  scores.skipped.back().skip_reason = "It is too small to gain from it.";
  scores.skipped.back().parameters = 1000;
  const std::string text = skipped_section(scores.skipped, kStyle);
  EXPECT_THAT(text, HasSubstr("Not quantized: 3 weights"));
  EXPECT_THAT(text, HasSubstr("2 weights, 128 B: LSTM weights cannot be quantized yet. (rnn, rnn2)"));
  EXPECT_LT(text.find("too small"), text.find("LSTM")) << "the group of most bytes comes first";
  EXPECT_EQ(skipped_section({}, kStyle), "");
}

TEST(Sections, ManySkippedNamesAreCounted) {
  std::vector<Layer> many(10, report_test::sample_sensitivity().skipped[0]);
  EXPECT_THAT(skipped_section(many, kStyle), HasSubstr("and 7 more"));
}

}  // namespace
}  // namespace mpq::report
