#include "report/next_step.h"

#include <gtest/gtest.h>

#include "sample_records.h"

namespace mpq::report {
namespace {

TEST(NextStep, SyntheticDataAsksForRealData) {
  RunRecord run = report_test::sample_run();
  run.sensitivity->data.synthetic = true;
  EXPECT_EQ(next_step(run).command, "mpq quantize net.onnx --budget 6bit --calibration inputs.npz");
}

TEST(NextStep, AnUnharmedModelInvitesASmallerBudget) {
  RunRecord run = report_test::sample_run();
  run.plan->bits_per_weight = 5.97;
  run.verification->damage = 1e-5;
  EXPECT_EQ(next_step(run).command, "mpq quantize net.onnx --budget 5bit --calibration inputs.npz");
  run.options = {{"eval", "test.npz"}, {"labels", "labels.npy"}};
  EXPECT_EQ(next_step(run).command,
            "mpq quantize net.onnx --budget 5bit --calibration inputs.npz --eval test.npz --labels labels.npy");
}

TEST(NextStep, AHarmedModelAsksForOneMoreBit) {
  RunRecord run = report_test::sample_run();
  run.verification->accuracy = AccuracyComparison{0.98, 0.90, 200, 1e-4};
  for (PlanEntry& entry : run.plan->entries) entry.damage = run.plan->predicted_damage / 3;
  EXPECT_EQ(next_step(run).command, "mpq quantize net.onnx --budget 5bit --calibration inputs.npz");
}

TEST(NextStep, OneGuiltyLayerIsNamedAsAGlobThatMatchesItAlone) {
  RunRecord run = report_test::sample_run();
  run.verification->accuracy = AccuracyComparison{0.98, 0.90, 200, 1e-4};
  run.plan->entries[0].layer = "head[0]";
  run.plan->entries[0].damage = run.plan->predicted_damage;
  EXPECT_EQ(next_step(run).command,
            "mpq quantize net.onnx --budget 6bit --calibration inputs.npz --keep 'head\\[0\\]'");
}

TEST(NextStep, AnImprovementInAccuracyIsNoHarm) {
  RunRecord run = report_test::sample_run();
  run.verification->accuracy = AccuracyComparison{0.90, 0.98, 200, 1e-4};
  EXPECT_EQ(next_step(run).why.find("harmed; see"), std::string::npos);
}

TEST(NextStep, AnAnalysisLeadsToItsFrontier) {
  RunRecord run = report_test::sample_run();
  run.plan.reset();
  run.verification.reset();
  EXPECT_EQ(next_step(run).command, "mpq plan net.onnx.sensitivity.json --frontier");
  EXPECT_EQ(next_step(*run.sensitivity).command, next_step(run).command);
  run.options = {{"output", "s.json"}};
  EXPECT_EQ(next_step(run).command, "mpq plan s.json --frontier");
}

TEST(ShellWord, QuotesWhatAShellWouldRead) {
  EXPECT_EQ(shell_word("a/b-1.onnx"), "a/b-1.onnx");
  EXPECT_EQ(shell_word("my model.onnx"), "'my model.onnx'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word("$(rm)"), "'$(rm)'");
  EXPECT_EQ(shell_word(""), "''");
}

}  // namespace
}  // namespace mpq::report
