#include <sstream>

#include <gtest/gtest.h>

#include "report/reports.h"
#include "sample_records.h"

namespace mpq::report {
namespace {

/// An independent reading of RFC 4180.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, std::vector<std::string>(1));
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string& field = rows.back().back();
    if (quoted && text[i] == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      field += text[i++];
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && text[i] == ',') {
      rows.back().emplace_back();
    } else if (!quoted && text[i] == '\n') {
      rows.emplace_back(1);
    } else {
      field += text[i];
    }
  }
  rows.pop_back();  // the text ends in a line feed
  return rows;
}

std::size_t column(const std::vector<std::vector<std::string>>& rows, const std::string& name) {
  for (std::size_t c = 0; c < rows[0].size(); ++c) {
    if (rows[0][c] == name) return c;
  }
  ADD_FAILURE() << "no column " << name;
  return 0;
}

TEST(Csv, OneRowPerLayerAndCandidateAndEveryRowAsWideAsTheHeader) {
  const auto rows = parse_csv(run_csv(report_test::sample_run()));
  EXPECT_EQ(rows.size(), 1U + 3 * 3 + 2);
  for (const auto& row : rows) EXPECT_EQ(row.size(), rows[0].size());
}

TEST(Csv, ExactlyOneCandidatePerLayerIsChosen) {
  const auto rows = parse_csv(run_csv(report_test::sample_run()));
  const std::size_t chosen = column(rows, "chosen"), layer = column(rows, "layer"),
                    candidate = column(rows, "candidate");
  std::vector<std::string> found;
  for (const auto& row : rows) {
    if (row[chosen] == "1") found.push_back(row[layer] + "=" + row[candidate]);
  }
  EXPECT_EQ(found, (std::vector<std::string>{"conv1=4bit", "conv2=8bit", "fc=4bit"}));
}

TEST(Csv, SensitivityAloneLeavesChosenEmpty) {
  const auto rows = parse_csv(sensitivity_csv(report_test::sample_sensitivity()));
  const std::size_t chosen = column(rows, "chosen");
  for (std::size_t i = 1; i < rows.size(); ++i) EXPECT_EQ(rows[i][chosen], "");
}

TEST(Csv, SkippedWeightsStandThereWithTheirReason) {
  const auto rows = parse_csv(sensitivity_csv(report_test::sample_sensitivity()));
  EXPECT_EQ(rows.back()[column(rows, "layer")], "rnn2");
  EXPECT_EQ(rows.back()[column(rows, "reason")], "LSTM weights cannot be quantized yet.");
}

TEST(Csv, NumbersReadBackAsTheyWere) {
  const Sensitivity scores = report_test::sample_sensitivity();
  const auto rows = parse_csv(sensitivity_csv(scores));
  EXPECT_EQ(std::stod(rows[2][column(rows, "damage")]), scores.layers[0].candidates[1].damage);
}

TEST(Csv, AwkwardNamesSurvive) {
  Sensitivity scores = report_test::sample_sensitivity();
  const std::string name = "a,\"b\"\nc";
  scores.layers[0].layer.name = name;
  const auto rows = parse_csv(sensitivity_csv(scores));
  EXPECT_EQ(rows[1][0], name);
  EXPECT_EQ(rows[1].size(), rows[0].size());
}

TEST(Csv, ARunWithoutScoresShowsItsPlanOrItsOutputs) {
  RunRecord run = report_test::sample_run();
  run.sensitivity.reset();
  EXPECT_EQ(parse_csv(run_csv(run)).size(), 1U + 3);
  run.plan.reset();
  const auto rows = parse_csv(run_csv(run));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1][column(rows, "output")], "logits");
  EXPECT_EQ(rows[1][column(rows, "top1_agreement")], "0.99");
}

}  // namespace
}  // namespace mpq::report
