#include "mpq/diff.h"

#include <gmock/gmock.h>

#include "mpq/error.h"

#include "sample_records.h"

namespace mpq {
namespace {

using testing::HasSubstr;
using Kind = LayerChange::Kind;

const LayerChange& layer(const RecordDiff& changes, const std::string& name) {
  for (const LayerChange& change : changes.layers) {
    if (change.layer == name) return change;
  }
  throw std::out_of_range(name);
}

/// sample_run with one layer renamed, one narrowed and one whose score moved far.
RunRecord other_run() {
  RunRecord run = report_test::sample_run();
  run.sensitivity->layers[0].layer.name = run.plan->entries[0].layer = "conv1b";
  run.plan->entries[1].candidate = run.sensitivity->layers[1].candidates[0].candidate;
  run.plan->entries[1].stored_bytes = 576;
  run.sensitivity->layers[2].score *= 2;
  run.output->bytes = 9000;
  return run;
}

TEST(Diff, EqualRecordsAreTheSame) {
  const RecordDiff same = diff(report_test::sample_run(), report_test::sample_run());
  for (const LayerChange& change : same.layers) EXPECT_EQ(change.kind, Kind::kSame);
  EXPECT_THAT(
      render(same, {}),
      HasSubstr("3 layers: 0 changed, 0 added, 0 gone, 3 the same; rank correlation of the sensitivities 1.000."));
}

TEST(Diff, ComparesTheOrdersOfTheLayers) {
  RunRecord run = report_test::sample_run();
  EXPECT_EQ(diff(run, run).rank_correlation, 1);
  RunRecord other = run;
  other.sensitivity->layers[0].score = 3;
  other.sensitivity->layers[1].score = 1;
  other.sensitivity->layers[2].score = 2;
  run.sensitivity->layers[0].score = 1;
  run.sensitivity->layers[1].score = 2;
  run.sensitivity->layers[2].score = 3;
  // 1 - 6 sum d^2 / (n (n^2 - 1)) with d = 2, 1, 1 (Spearman 1904).
  EXPECT_DOUBLE_EQ(*diff(run, other).rank_correlation, -0.5);
  EXPECT_THAT(render(diff(run, other), {}), HasSubstr("rank correlation of the sensitivities -0.500"));
  other.sensitivity->layers.pop_back();
  EXPECT_FALSE(diff(run, other).rank_correlation.has_value());
}

TEST(Diff, FindsAddedGoneAndChangedLayers) {
  const RecordDiff changes = diff(report_test::sample_run(), other_run());
  EXPECT_EQ(layer(changes, "conv1").kind, Kind::kGone);
  EXPECT_EQ(layer(changes, "conv1b").kind, Kind::kAdded);
  EXPECT_TRUE(layer(changes, "conv2").form_changed());
  EXPECT_EQ(layer(changes, "fc").kind, Kind::kChanged);  // its score doubled, at 5 % standard error
  EXPECT_EQ(changes.layers.size(), 4U);
}

TEST(Diff, ScoresWithinTheirErrorsAreNoChange) {
  RunRecord run = report_test::sample_run();
  run.sensitivity->layers[2].score *= 1.05;
  EXPECT_EQ(layer(diff(report_test::sample_run(), run), "fc").kind, Kind::kSame);
  EXPECT_FALSE(beyond_errors({1, 0.5}, {2, 0.5}));
  EXPECT_TRUE(beyond_errors({1, 0.1}, {2, 0.1}));
  EXPECT_TRUE(beyond_errors({1, 0}, {1.0001, 0}));
}

TEST(Diff, ScoresFoundInAnotherWayAreNotCompared) {
  RunRecord run = report_test::sample_run();
  run.sensitivity->layers[2].score *= 9;
  run.sensitivity->settings.metric = "mse";
  const RecordDiff changes = diff(report_test::sample_run(), run);
  EXPECT_FALSE(changes.same_settings);
  EXPECT_EQ(layer(changes, "fc").kind, Kind::kSame);
  EXPECT_THAT(render(changes, {}), HasSubstr("not compared"));
}

TEST(Diff, RecordsOfDifferentKindsCompareByWhatBothHold) {
  const RecordDiff changes = diff(report_test::sample_sensitivity(), report_test::sample_plan());
  EXPECT_EQ(changes.layers.size(), 3U);
  EXPECT_EQ(layer(changes, "fc").kind, Kind::kChanged);  // it has bytes now
  EXPECT_FALSE(layer(changes, "fc").after_score);
}

TEST(DiffReport, TellsFiguresAndLayers) {
  const RecordDiff changes = diff(report_test::sample_run(), other_run());
  ReportOptions options;
  options.unicode = false;
  const std::string text = render(changes, options);
  EXPECT_THAT(text, HasSubstr("-9.1 %"));
  EXPECT_THAT(text, HasSubstr("8bit->4bit"));
  EXPECT_THAT(text, HasSubstr("0.001->0.002  yes\n"));
  options.format = "md";
  EXPECT_THAT(render(changes, options), HasSubstr("| `conv1` | gone | 4bit → - |"));
  options.format = "json";
  EXPECT_THAT(render(changes, options), HasSubstr("\"change\": \"added\""));
  options.format = "html";
  EXPECT_THROW(render(changes, options), Error);
}

TEST(DiffReport, NamesCannotSteerTheTerminal) {
  RunRecord run = report_test::sample_run();
  run.plan->entries[0].layer = run.sensitivity->layers[0].layer.name = "evil\x1b[2J";
  run.model.path = "\x1b[2J";
  const RecordDiff changes = diff(run, report_test::sample_run());
  ReportOptions options;
  for (const char* format : {"table", "md"}) {
    options.format = format;
    EXPECT_THAT(render(changes, options), testing::Not(HasSubstr("\x1b")));
  }
}

}  // namespace
}  // namespace mpq
