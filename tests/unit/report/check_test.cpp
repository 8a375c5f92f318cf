#include "mpq/check.h"

#include <limits>

#include <gmock/gmock.h>

#include "mpq/error.h"

#include "report/gates.h"
#include "sample_records.h"

namespace mpq {
namespace {

using testing::HasSubstr;
using Verdict = GateResult::Verdict;

std::vector<GateResult> judged(const std::string& name, const std::string& text,
                               const RunRecord& run = report_test::sample_run(), const RunRecord* baseline = nullptr) {
  return check(run, {Gate::parse(name, text)}, baseline);
}

Verdict verdict(const std::string& name, const std::string& text, const RunRecord& run = report_test::sample_run(),
                const RunRecord* baseline = nullptr) {
  const auto results = judged(name, text, run, baseline);
  return results.empty() ? Verdict::kFailed : results.back().verdict;
}

TEST(Check, BytesAreOfTheWrittenFile) {
  EXPECT_EQ(verdict("max-bytes", "9900B"), Verdict::kPassed);
  EXPECT_EQ(verdict("max-bytes", "9899B"), Verdict::kFailed);
  EXPECT_EQ(verdict("max-bytes", "20%"), Verdict::kPassed);
  EXPECT_EQ(verdict("max-bytes", "19%"), Verdict::kFailed);
  EXPECT_EQ(verdict("max-bytes", "5x"), Verdict::kPassed);
  EXPECT_EQ(verdict("max-bytes", "6x"), Verdict::kFailed);
}

TEST(Check, SeverityIsPartOfTheLimit) {
  EXPECT_EQ(verdict("max-bytes", "warn:1kB"), Verdict::kWarned);
  EXPECT_EQ(verdict("max-bytes", "error:1kB"), Verdict::kFailed);
  EXPECT_TRUE(judged("max-bytes", "off").empty());
  EXPECT_TRUE(passed(judged("max-bytes", "warn:1kB")));
  EXPECT_FALSE(passed(judged("max-bytes", "1kB")));
}

// Constants from the formula, worked out in Python: 12 lost and 4 won of 100; nothing lost or won of 500.
TEST(Check, PessimisticDropIsTheUpperEndOfBonettAndPrice) {
  EXPECT_NEAR(report::pessimistic_drop(0.08, 0.16, 100), 0.158522, 1e-5);
  EXPECT_NEAR(report::pessimistic_drop(0, 0, 500), 0.005522, 1e-5);
  EXPECT_GT(report::pessimistic_drop(0, 0, 50), report::pessimistic_drop(0, 0, 500));
}

TEST(Check, TooFewSamplesFailADropThatIsSmallEnough) {
  RunRecord run = report_test::sample_run();
  run.verification->accuracy = AccuracyComparison{0.99, 0.99, 50, 1};
  run.verification->outputs[0].top1_agreement = 1;
  const auto few = judged("max-drop", "0.5%", run);
  EXPECT_EQ(few[0].verdict, Verdict::kFailed);
  EXPECT_THAT(few[0].hint, HasSubstr("too few"));
  run.verification->accuracy->samples = 5000;
  EXPECT_EQ(verdict("max-drop", "0.5%", run), Verdict::kPassed);
}

TEST(Check, WithoutLabelsTheChangedAnswersCount) {
  RunRecord run = report_test::sample_run();
  run.verification->accuracy.reset();  // agreement 99 %, down to 96.4 %
  EXPECT_EQ(verdict("max-drop", "3%", run), Verdict::kFailed);
  EXPECT_EQ(verdict("max-drop", "4%", run), Verdict::kPassed);
}

TEST(Check, AgreementAndNoiseOfOutputs) {
  EXPECT_EQ(verdict("min-top1-agreement", "96%"), Verdict::kPassed);
  EXPECT_EQ(verdict("min-top1-agreement", "98%"), Verdict::kFailed);
  EXPECT_EQ(verdict("min-sqnr", "30dB"), Verdict::kPassed);
  EXPECT_EQ(verdict("min-sqnr", "30.5"), Verdict::kFailed);
}

TEST(Check, BitsOfMatchingLayers) {
  EXPECT_EQ(verdict("min-bits", "conv*=4"), Verdict::kPassed);
  EXPECT_EQ(verdict("min-bits", "conv2=8"), Verdict::kPassed);
  EXPECT_EQ(verdict("min-bits", "conv*=8bit"), Verdict::kFailed);
  EXPECT_THROW(judged("min-bits", "nothing*=4"), Error);
}

TEST(Check, RegressionsAreAgainstABaseline) {
  const RunRecord old = report_test::sample_run();
  RunRecord now = old;
  EXPECT_EQ(verdict("max-regression", "0%", now, &old), Verdict::kPassed);
  now.output->bytes = 10'500;
  EXPECT_EQ(judged("max-regression", "5%", now, &old)[0].verdict, Verdict::kFailed);
  EXPECT_EQ(judged("max-regression", "7%", now, &old)[0].verdict, Verdict::kPassed);
  now.verification->damage *= 1.2;
  EXPECT_EQ(judged("max-regression", "30%", now, &old)[1].verdict, Verdict::kPassed);
  now.verification->data.sha256 = "other samples";  // sampling noise comes on top
  EXPECT_EQ(judged("max-regression", "22%", now, &old)[1].verdict, Verdict::kFailed);
  EXPECT_THROW(judged("max-regression", "5%"), Error);
}

TEST(Check, WhatWasNotMeasuredHasNotPassed) {
  RunRecord run;
  for (const auto& [name, text] :
       {std::pair{"max-bytes", "1MB"}, std::pair{"max-drop", "1%"}, std::pair{"min-sqnr", "30dB"},
        std::pair{"min-top1-agreement", "9%"}, std::pair{"min-bits", "*=2"}}) {
    EXPECT_EQ(verdict(name, text, run), Verdict::kFailed) << name;
  }
}

TEST(Check, LimitsThatMeanNothingAreRefused) {
  for (const auto& [name, text] :
       {std::pair{"max-bytes", "6bit"}, std::pair{"max-bytes", "8ms"}, std::pair{"max-bytes", "many"},
        std::pair{"max-drop", "0.5"}, std::pair{"max-drop", "101%"}, std::pair{"max-drop", "nan%"},
        std::pair{"min-sqnr", "loud"}, std::pair{"min-bits", "4"}, std::pair{"min-bits", "a=99"},
        std::pair{"max-regression", "-1%"}, std::pair{"max-bytes", ""}, std::pair{"best", "1"}}) {
    EXPECT_THROW(Gate::parse(name, text), Error) << name << ' ' << text;
  }
}

TEST(SelfCheck, TheBudgetIsKeptAndFiguresAreNumbers) {
  RunRecord run = report_test::sample_run();
  EXPECT_EQ(self_check(run).size(), 2U);
  EXPECT_TRUE(passed(self_check(run)));
  run.plan->limit_bytes = 10;
  EXPECT_FALSE(passed(self_check(run)));
  run = report_test::sample_run();
  run.verification->outputs[0].sqnr_db = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(passed(self_check(run)));
}

std::string shown(const std::string& format) {
  const std::vector<GateResult> results = {
      {Verdict::kPassed, "max-bytes", "", "at most 9 bytes", "8 bytes", ""},
      {Verdict::kWarned, "min-sqnr", "lo|gits<", "at least 30 dB", "20 dB, 5 % off", "Raise the budget."},
      {Verdict::kFailed, "min-bits", "a:\"b&\n", "at least 4 bits", "2bit", "Ask for it."}};
  CheckReportOptions options;
  options.format = format;
  options.unicode = false;
  return render(results, report_test::sample_run(), "run.json", options);
}

TEST(CheckReport, Terminal) {
  EXPECT_THAT(shown("table"), HasSubstr("passed  max-bytes: 8 bytes; at most 9 bytes demanded\n"));
  EXPECT_THAT(shown("table"), HasSubstr("        Ask for it.\n"));
  EXPECT_THAT(shown("table"), HasSubstr("1 passed, 1 warned, 1 failed\n"));
}

TEST(CheckReport, GithubAnnotationsAreEscapedAndPassedOnesSilent) {
  EXPECT_EQ(shown("github"),
            "::warning file=run.json,title=mpq min-sqnr (lo|gits<)::20 dB, 5 %25 off; at least 30 dB demanded. Raise "
            "the budget.\n"
            "::error file=run.json,title=mpq min-bits (a%3A\"b&?)::2bit; at least 4 bits demanded. Ask for it.\n"
            "mpq check: 1 passed, 1 warned, 1 failed\n");
}

TEST(CheckReport, JunitCountsFailuresAndEscapes) {
  const std::string xml = shown("junit");
  EXPECT_THAT(xml, HasSubstr("tests=\"3\" failures=\"1\""));
  EXPECT_THAT(xml, HasSubstr("<testcase classname=\"mpq.check\" name=\"max-bytes\"/>"));
  EXPECT_THAT(xml, HasSubstr("<system-out>warning: at least 30 dB; found 20 dB, 5 % off. Raise the budget."));
  EXPECT_THAT(xml, HasSubstr("name=\"min-bits a:&quot;b&amp;?\""));
  EXPECT_THAT(xml,
              HasSubstr("<failure type=\"min-bits\" message=\"at least 4 bits; found 2bit\">Ask for it.</failure>"));
}

TEST(CheckReport, MarkdownAndJson) {
  EXPECT_THAT(shown("md"), HasSubstr("min-sqnr (lo\\|gits&lt;)"));
  EXPECT_THAT(shown("json"), HasSubstr("\"passed\": false"));
  EXPECT_THROW(shown("xml"), Error);
}

}  // namespace
}  // namespace mpq
