#include "report/verification_section.h"

#include <gmock/gmock.h>

#include "sample_records.h"

namespace mpq::report {
namespace {

using testing::HasSubstr;
using testing::Not;

const Style kStyle(false, false, 100);
const Style kWide(false, false, 300);  ///< nothing wraps

TEST(VerificationSection, PutsPredictedBesideMeasured) {
  const std::string text = verification_section(report_test::sample_run(), kStyle);
  EXPECT_THAT(text, HasSubstr("predicted 0.0014 +-5e-05, measured 0.0018 +-0.0001 = 1.29 times the prediction"));
  EXPECT_THAT(text, HasSubstr("200 samples of test.npz"));
  EXPECT_THAT(text, Not(HasSubstr("Caution")));
}

TEST(VerificationSection, ShowsEveryFigureOfAnOutput) {
  const std::string text = verification_section(report_test::sample_run(), kStyle);
  for (const char* figure : {"30.0", "0.001", "0.999500", "0.25", "0.0018", "99.00 %", "96.40-99.70 %"}) {
    EXPECT_THAT(text, HasSubstr(figure));
  }
}

TEST(VerificationSection, AbsentFiguresAreDashes) {
  RunRecord run = report_test::sample_run();
  OutputComparison& output = run.verification->outputs[0];
  output.kl.reset();
  output.top1_agreement.reset();
  EXPECT_THAT(verification_section(run, kWide), HasSubstr("0.25        -           -  96.40"));
}

TEST(VerificationSection, AccuracyComesWithItsTest) {
  RunRecord run = report_test::sample_run();
  EXPECT_THAT(verification_section(run, kWide), HasSubstr("98.50 % before -> 98.00 % after (-0.50 points on 200"));
  EXPECT_THAT(verification_section(run, kWide), HasSubstr("no significant"));
  run.verification->accuracy->mcnemar_p = 0.001;
  EXPECT_THAT(verification_section(run, kWide), Not(HasSubstr("no significant")));
}

TEST(VerificationSection, SyntheticDataSaysHowLittleItProves) {
  RunRecord run = report_test::sample_run();
  run.verification->data.synthetic = true;
  const std::string text = verification_section(run, kStyle);
  EXPECT_THAT(text, HasSubstr("200 synthetic samples"));
  EXPECT_THAT(text, HasSubstr("Caution"));
}

TEST(VerificationSection, UniformBaselineIsCompared) {
  RunRecord run = report_test::sample_run();
  run.uniform_baseline = run.verification;
  run.uniform_baseline->damage = 3 * run.verification->damage;
  EXPECT_THAT(verification_section(run, kStyle), HasSubstr("3.00 times this plan's"));
}

TEST(VerificationSection, NothingMeasuredShowsNothing) {
  RunRecord run = report_test::sample_run();
  run.verification.reset();
  EXPECT_EQ(verification_section(run, kStyle), "");
}

}  // namespace
}  // namespace mpq::report
