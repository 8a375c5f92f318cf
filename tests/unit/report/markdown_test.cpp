#include <sstream>

#include <gmock/gmock.h>

#include "mpq/report.h"

#include "sample_records.h"

namespace mpq {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string markdown(const AnyRecord& record) { return render(record, {.format = "md"}); }

TEST(Markdown, TellsARunInOneScreen) {
  const std::string text = markdown(report_test::sample_run());
  EXPECT_THAT(text, HasSubstr("### mpq quantize: `net.onnx`"));
  EXPECT_THAT(text, HasSubstr("| file | 50.0 kB | 9.90 kB (19.8 %) |"));
  EXPECT_THAT(text, HasSubstr("| accuracy | 98.50 % | 98.00 % (McNemar p = 1) |"));
  EXPECT_THAT(text, HasSubstr("| 1 | `conv2` | Conv | 16x8x3x3 | 0.05 ± 0.0025 | 8bit | 4,608 | 1,152 |"));
  EXPECT_THAT(text, HasSubstr("2 weights left as they are"));
}

TEST(Markdown, EveryRowOfATableHasAsManyCellsAsItsHead) {
  RunRecord run = report_test::sample_run();
  run.plan->entries[0].layer = run.sensitivity->layers[0].layer.name = "a|b`c\n|d|";
  run.verification->outputs[0].name = "x|y";
  run.sensitivity->skipped[0].skip_reason = "it | is";
  const auto cells = [](const std::string& line) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < line.size(); ++i) count += line[i] == '|' && (i == 0 || line[i - 1] != '\\') ? 1 : 0;
    return count;
  };
  std::istringstream lines(markdown(run));
  std::size_t head = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("|")) {
      head = 0;
      continue;
    }
    if (head == 0) head = cells(line);
    EXPECT_EQ(cells(line), head) << line;
  }
}

TEST(Markdown, LongTablesAreFolded) {
  Sensitivity scores = report_test::sample_sensitivity();
  for (int i = 0; i < 30; ++i) {
    scores.layers.push_back(scores.layers[0]);
    scores.layers.back().layer.name = "more" + std::to_string(i);
  }
  EXPECT_THAT(markdown(scores), HasSubstr("<details><summary>18 less sensitive layers</summary>"));
}

TEST(Markdown, SyntheticSamplesAreConfessed) {
  RunRecord run = report_test::sample_run();
  EXPECT_THAT(markdown(run), Not(HasSubstr("Caution")));
  run.verification->data.synthetic = true;
  EXPECT_THAT(markdown(run), HasSubstr("Caution"));
}

TEST(Markdown, EveryKindOfRecordRenders) {
  EXPECT_THAT(markdown(report_test::sample_sensitivity()), HasSubstr("`conv2`"));
  EXPECT_THAT(markdown(report_test::sample_plan()), HasSubstr("bits per weight"));
  EXPECT_THAT(markdown(RunRecord{}), HasSubstr("### mpq"));
}

}  // namespace
}  // namespace mpq
