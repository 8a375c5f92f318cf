#include <limits>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "mpq/report.h"

#include "sample_records.h"

namespace mpq {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<Plan> sample_frontier() {
  std::vector<Plan> plans(3, report_test::sample_plan());
  const Sensitivity scores = report_test::sample_sensitivity();
  for (std::size_t p = 0; p < plans.size(); ++p) {
    plans[p].budget = std::to_string(4 + p) + "bit";
    plans[p].stored_bytes = 5000 + 1500 * static_cast<std::int64_t>(p);
    plans[p].predicted_damage = 0.02 / static_cast<double>(1 + 9 * p);
    plans[p].entries[1].candidate = scores.layers[1].candidates[p == 0 ? 0 : 1].candidate;
  }
  return plans;
}

std::string page(const AnyRecord& record, std::vector<Plan> frontier = sample_frontier()) {
  ReportOptions options;
  options.format = "html";
  options.uniforms = frontier;
  options.frontier = std::move(frontier);
  return render(record, options);
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t result = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++result;
  return result;
}

/// The page without the library of charts and its licences, which the build may hold or not.
std::string own_part(std::string html) {
  const auto cut = [&](const std::string& open, const std::string& close) {
    const std::size_t begin = html.find(open);
    if (begin != std::string::npos) html.erase(begin, html.find(close, begin) + close.size() - begin);
  };
  cut("<script type=\"application/octet-stream\"", "</script>");
  cut("<details class=\"licences\">", "</details>");
  return html;
}

nlohmann::json data_of(const std::string& html) {
  const std::string open = "<script type=\"application/json\" id=\"data\">";
  const std::size_t begin = html.find(open) + open.size();
  return nlohmann::json::parse(html.substr(begin, html.find("</script>", begin) - begin));
}

RunRecord large_run(std::size_t layers) {
  RunRecord run = report_test::sample_run();
  const LayerSensitivity layer = run.sensitivity->layers[0];
  const PlanEntry entry = run.plan->entries[0];
  run.sensitivity->layers.clear();
  run.plan->entries.clear();
  for (std::size_t i = 0; i < layers; ++i) {
    run.sensitivity->layers.push_back(layer);
    LayerSensitivity& added = run.sensitivity->layers.back();
    added.layer.name = "/model/encoder/layers." + std::to_string(i) + "/attention/self/query/MatMul";
    added.score = 1e-3 / static_cast<double>(i + 1);
    added.candidates.clear();
    for (const int block : {0, 32}) {
      for (int bits = 2; bits <= 8; ++bits)
        added.candidates.push_back(
            {{bits, "grid", block}, 100'000 * bits, 100'000 * bits + 100, "", 0.1234 / (1 << bits), 1.2e-4, 8});
    }
    run.plan->entries.push_back(entry);
    run.plan->entries.back().layer = added.layer.name;
  }
  return run;
}

TEST(Html, HasEveryChartAndTable) {
  const std::string html = page(report_test::sample_run());
  for (const char* id :
       {"frontier", "ranked", "heat", "depth", "damage", "bytes", "layers-card", "outputs", "skipped", "facts"}) {
    EXPECT_THAT(html, HasSubstr(std::string("<section class=\"card\" id=\"") + id + "\">"));
  }
  EXPECT_EQ(count(html, "<svg class=\"chart"), 6U);
}

TEST(Html, ShowsTheLatencyWhereItWasMeasured) {
  RunRecord record = report_test::sample_run();
  EXPECT_THAT(page(record), Not(HasSubstr(">Latency<")));
  record.latency = LatencyCheck{"cpu:0-1", "8ms", 0.008, 0.0075, 0.0154, 0.0001, 0.024, 0.012, 0.05, 0.04, 0.03, 0};
  EXPECT_THAT(page(record), HasSubstr("<div class=\"label\">Latency</div><div class=\"value\">7.7 ms</div>"));
  EXPECT_THAT(page(record), HasSubstr("budget 8ms, predicted 7.5 ms, 0.64 of the original&#39;s on cpu:0-1"));
}

TEST(Html, AsksForNothingFromOutside) {
  const std::string html = own_part(page(report_test::sample_run()));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  for (const char* part :
       {"http:", "https:", "//cdn", "@import", "url(", "src=", "<link", "<iframe", "fetch(", "eval("})
    EXPECT_THAT(html, Not(HasSubstr(part))) << part;
}

TEST(Html, IsReadableWithoutScript) {
  std::string html = page(report_test::sample_run());
  html.erase(html.find("<script type="));
  EXPECT_THAT(html, HasSubstr("<td class=\"l name\">conv2</td>"));
  EXPECT_THAT(html, HasSubstr("--budget 5bit"));
  EXPECT_EQ(count(html, "<polyline class=\"frontier\""), 1U);
}

TEST(Html, HostileNamesStayText) {
  const std::string evil =
      "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\x1b]0;x\x07\xe2\x80\xae層";
  RunRecord run = report_test::sample_run();
  run.model.path = run.output->path = evil;
  run.sensitivity->layers[0].layer.name = run.plan->entries[0].layer = evil;
  run.sensitivity->layers[0].layer.op = run.sensitivity->skipped[0].name = run.sensitivity->skipped[0].skip_reason =
      evil;
  run.plan->budget = run.plan->entries[2].reason = run.verification->outputs[0].name = evil;
  run.verification->outputs[0].kind = run.verification->metric = run.command = run.mpq_version = evil;
  run.verification->data.source = run.sensitivity->data.source = evil;
  run.options = {{"calibration", evil}, {evil, evil}};
  run.environment = {{evil, evil}};
  run.warnings = {evil};
  std::vector<Plan> frontier = sample_frontier();
  for (Plan& plan : frontier) plan.budget = evil;
  const std::string whole = page(run, frontier), harmless = page(report_test::sample_run());
  EXPECT_EQ(count(whole, "<script"), count(harmless, "<script"));
  EXPECT_EQ(count(whole, "</script>"), count(harmless, "</script>"));
  const std::string html = own_part(whole);
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, Not(HasSubstr("\x1b")));
  EXPECT_THAT(html, Not(HasSubstr("\xe2\x80\xae")));
  EXPECT_THAT(html, HasSubstr("層"));
  EXPECT_EQ(data_of(html)["points"].size(), 3U);
}

TEST(Html, ThePlansOfTheFrontierAreInThePageWithTheirCommand) {
  RunRecord run = report_test::sample_run();
  run.options = {{"calibration", "in puts.npz"},
                 {"effort", "3"},
                 {"keep", "a*"},
                 {"keep", "b, c"},
                 {"seed", "7"},
                 {"quiet", "true"}};
  const auto data = data_of(page(run));
  EXPECT_EQ(data["before"], "mpq quantize net.onnx ");
  EXPECT_EQ(data["after"], " --calibration 'in puts.npz' --keep 'a*' --keep 'b, c' --seed 7");
  ASSERT_EQ(data["points"].size(), 3U);
  EXPECT_EQ(data["points"][0]["budget"], "4bit");
  EXPECT_EQ(data["points"][0]["choice"], nlohmann::json::array({0, 0, 0}));
  EXPECT_EQ(data["points"][1]["choice"], nlohmann::json::array({0, 1, 0}));
  EXPECT_EQ(data["layers"][1][1][0], "8bit");
}

TEST(Html, AnAnalysisShowsThePlanOfAPoint) {
  const std::string html = page(report_test::sample_sensitivity());
  EXPECT_THAT(html, HasSubstr("id=\"depth\""));
  EXPECT_THAT(html, HasSubstr("Back to the first point"));
  EXPECT_EQ(data_of(html)["after"], " --calibration inputs.npz --scores net.onnx.sensitivity.json");
  EXPECT_EQ(data_of(html)["own"].size(), 3U);
}

TEST(Html, LayersWithoutScoresRender) {
  RunRecord run = report_test::sample_run();
  run.plan->entries[0].layer = "not analyzed";
  EXPECT_THAT(page(run), HasSubstr("not analyzed"));
}

TEST(Html, TheScriptsGetTheFiguresOfEveryChart) {
  const RunRecord run = report_test::sample_run();
  const auto data = data_of(page(run));
  EXPECT_EQ(data["names"], nlohmann::json::array({"conv1", "conv2", "fc"}));
  EXPECT_EQ(data["ranked"], nlohmann::json::array({1, 2, 0}));
  EXPECT_EQ(data["weights"][1], nlohmann::json::array({0.05, 0.0025}));
  EXPECT_EQ(data["shown"][1], nlohmann::json::array({"8bit", 8, 1152}));
  EXPECT_EQ(data["layers"][1][0], nlohmann::json::array({"4bit", 4, 576, 0.05, 0.0025}));
  EXPECT_EQ(data["points"][1]["stored"], 6500);
  EXPECT_EQ(data["uniforms"].size(), 3U);
  EXPECT_EQ(data["plan"]["budget"], "6bit");
  EXPECT_NEAR(data["measured"]["damage"].get<double>(), run.verification->damage, 1e-3 * run.verification->damage);
  std::int64_t before = 0;
  for (const auto& part : data["parts"]) before += part["before"].get<std::int64_t>();
  EXPECT_EQ(before, run.model.bytes);
  EXPECT_EQ(data["figures"][1]["name"], "predicted");
}

TEST(Html, ALibraryOfChartsComesWithItsLicences) {
  const std::string html = page(report_test::sample_run());
  const bool library = count(html, "id=\"library\"") == 1;
  EXPECT_EQ(count(html, "<details class=\"licences\">"), library ? 1U : 0U);
  if (!library) GTEST_SKIP() << "this build has no library of charts";
  for (const char* part : {"Apache License", "Version 2.0", "Copyright (c) 2017, Baidu Inc."})
    EXPECT_THAT(html, HasSubstr(part)) << part;
}

TEST(Html, OtherRecordsAndPartsOfRunsRender) {
  EXPECT_THAT(page(report_test::sample_sensitivity(), {}), HasSubstr("id=\"heat\""));
  EXPECT_THAT(page(report_test::sample_plan(), {}), HasSubstr("id=\"depth\""));
  EXPECT_THAT(page(RunRecord{}, {}), HasSubstr("</html>"));
  RunRecord run = report_test::sample_run();
  run.sensitivity.reset();
  EXPECT_THAT(page(run, {}), HasSubstr("conv2"));
  for (auto& layer : (run = report_test::sample_run()).sensitivity->layers) {
    layer.score = layer.standard_error = 0;
    for (auto& candidate : layer.candidates) candidate.damage = 0;
  }
  EXPECT_THAT(own_part(page(run)), Not(HasSubstr("nan")));
}

TEST(Html, FiguresThatAreNoNumbersBreakNothing) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN(), kMost = std::numeric_limits<double>::infinity();
  for (const double value : {kNone, kMost, -kMost}) {
    RunRecord run = report_test::sample_run();
    run.sensitivity->layers[0].score = run.sensitivity->layers[0].standard_error = value;
    run.sensitivity->layers[1].candidates[0].damage = value;
    run.plan->predicted_damage = run.plan->entries[0].damage = run.plan->lower_bound = value;
    run.verification->damage = run.verification->damage_standard_error = value;
    run.verification->outputs[0].sqnr_db = run.verification->accuracy->quantized = value;
    std::vector<Plan> frontier = sample_frontier();
    frontier[1].predicted_damage = value;
    const std::string html = page(run, frontier);
    EXPECT_EQ(data_of(html)["points"].size(), 3U);
    const std::string drawn = html.substr(0, html.find("<script type="));
    for (const char* attribute : {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height"}) {
      for (const char* start : {"nan", "inf", "-inf", "-nan"}) {
        EXPECT_EQ(count(drawn, std::string(" ") + attribute + "=\"" + start), 0U) << attribute << ' ' << value;
      }
    }
  }
}

TEST(Html, StaysSmall) {
  const auto points = [](const RunRecord& run) { return std::vector<Plan>(56, *run.plan); };
  const RunRecord usual = large_run(100), large = large_run(1000);
  EXPECT_LT(page(usual, points(usual)).size(), 700'000U);
  EXPECT_LT(page(large, points(large)).size(), 5'000'000U);
}

}  // namespace
}  // namespace mpq
