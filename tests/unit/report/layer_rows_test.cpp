#include "report/layer_rows.h"

#include <gtest/gtest.h>

#include "sample_records.h"

namespace mpq::report {
namespace {

std::vector<std::string> names(const std::vector<LayerRow>& rows) {
  std::vector<std::string> result;
  for (const LayerRow& row : rows) result.push_back(row.name);
  return result;
}

TEST(LayerRows, SortBySensitivityAndFindTheirPlanEntry) {
  const Sensitivity scores = report_test::sample_sensitivity();
  const Plan plan = report_test::sample_plan();
  const auto rows = layer_rows(&scores, &plan);
  EXPECT_EQ(names(rows), (std::vector<std::string>{"conv2", "fc", "conv1"}));
  for (const LayerRow& row : rows) {
    ASSERT_NE(row.entry, nullptr);
    EXPECT_EQ(row.entry->layer, row.scores->layer.name);
  }
}

TEST(LayerRows, SortByPredictedDamageWithoutScores) {
  const Plan plan = report_test::sample_plan();
  EXPECT_EQ(layer_rows(nullptr, &plan).front().name, "fc");
}

TEST(LayerRows, KeepTheModelsOrderAmongEquals) {
  Sensitivity scores = report_test::sample_sensitivity();
  for (auto& layer : scores.layers) layer.score = 1;
  EXPECT_EQ(names(layer_rows(&scores, nullptr)), (std::vector<std::string>{"conv1", "conv2", "fc"}));
}

TEST(LogScale, SpansFromTheShortestVisibleBarToTheFullOne) {
  const Sensitivity scores = report_test::sample_sensitivity();
  const LogScale scale(layer_rows(&scores, nullptr));
  EXPECT_DOUBLE_EQ(scale.fraction(5e-2), 1);
  EXPECT_DOUBLE_EQ(scale.fraction(2e-4), 1.0 / kBarCells);
  EXPECT_GT(scale.fraction(1e-2), scale.fraction(1e-3));
  EXPECT_EQ(scale.fraction(0), 0);
}

TEST(LogScale, LooksBackSixDecadesOnly) {
  Sensitivity scores = report_test::sample_sensitivity();
  scores.layers[0].score = 1e-30;
  const LogScale scale(layer_rows(&scores, nullptr));
  EXPECT_DOUBLE_EQ(scale.fraction(1e-30), 1.0 / kBarCells);
  EXPECT_GT(scale.fraction(1e-3), 0.5) << "one tiny value must not flatten the others";
}

TEST(LogScale, OneValueFillsTheBar) {
  Sensitivity scores = report_test::sample_sensitivity();
  scores.layers.resize(1);
  EXPECT_DOUBLE_EQ(LogScale(layer_rows(&scores, nullptr)).fraction(scores.layers[0].score), 1);
}

TEST(HiddenRows, SayHowManyAndWhatTheyMatter) {
  const Sensitivity scores = report_test::sample_sensitivity();
  const Plan plan = report_test::sample_plan();
  const auto rows = layer_rows(&scores, &plan);
  const Style style(false, false, 100);
  EXPECT_EQ(shown_rows(rows.size(), 0), 3U);
  EXPECT_EQ(shown_rows(rows.size(), 2), 2U);
  EXPECT_EQ(hidden_rows_line(rows, 3, &plan, style), "");
  EXPECT_EQ(hidden_rows_line(rows, 2, &plan, style),
            "  ... 1 less sensitive layers not shown, together 14 % of the predicted damage\n");
}

}  // namespace
}  // namespace mpq::report
