#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "mpq/error.h"
#include "mpq/report.h"
#include "mpq/text.h"

#include "sample_records.h"

namespace mpq {
namespace {

using testing::HasSubstr;
using testing::Not;

ReportOptions plain(int width = 100) {
  ReportOptions options;
  options.unicode = false;
  options.width = width;
  return options;
}

std::vector<AnyRecord> every_kind() {
  return {report_test::sample_run(), report_test::sample_sensitivity(), report_test::sample_plan()};
}

TEST(Render, JsonIsTheRecordItself) {
  EXPECT_EQ(render(report_test::sample_run(), {.format = "json"}), to_json(report_test::sample_run()));
  EXPECT_EQ(render(report_test::sample_plan(), {.format = "json"}), to_json(report_test::sample_plan()));
}

TEST(Render, UnknownFormatsAreRefusedWithTheListOfThoseThereAre) {
  for (const AnyRecord& record : every_kind()) {
    try {
      render(record, {.format = "pdf"});
      FAIL() << "there is no such format";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      EXPECT_THAT(error.hint(), HasSubstr("table, json, csv, md, html and junit"));
    }
  }
}

TEST(Render, TablesHaveTheSectionsOfARun) {
  const std::string text = render(report_test::sample_run(), plain());
  std::size_t last = 0;
  for (const char* part : {"mpq quantize: net.onnx", "Written    net.mpq-6bit.onnx", "Budget", "Achieved", "#  layer",
                           "* not the allocator's choice: --layer 'fc=4bit'", "Not quantized: 2 weights", "Judged on",
                           "Damage", "Accuracy", "top-1 same", "Runs as", "Cost", "Next"}) {
    const std::size_t at = text.find(part);
    ASSERT_NE(at, std::string::npos) << part;
    EXPECT_GE(at, last) << part << " comes in its order";
    last = at;
  }
}

TEST(Render, LayersAreSortedBySensitivity) {
  const std::string text = render(report_test::sample_run(), plain());
  EXPECT_LT(text.find("1  conv2"), text.find("2  fc"));
  EXPECT_LT(text.find("2  fc"), text.find("3  conv1"));
}

TEST(Render, LinesFitTheTerminalWithLongNames) {
  RunRecord run = report_test::sample_run();
  const std::string name = "/model/encoder/layers.11/self_attention/query_key_value/projection/MatMul";
  run.sensitivity->layers[0].layer.name = name;
  run.sensitivity->layers[0].layer.op = "ConvTranspose";
  run.sensitivity->layers[0].layer.shape = {1024, 1024, 3, 3};
  run.plan->entries[0].layer = name;
  run.verification->outputs[0].name = name;
  run.model.path = name;
  run.verification->outputs[0].kl = 1.234e-5;
  for (const int width : {60, 80, 100}) {
    std::istringstream lines(render(run, plain(width)));
    for (std::string line; std::getline(lines, line);) {
      // Commands to copy and paths are never broken.
      if (line.starts_with("  mpq ") || line.find(name) != std::string::npos) continue;
      EXPECT_LE(display_width(line), static_cast<std::size_t>(width)) << line;
    }
  }
}

TEST(Render, NamesCannotSteerTheTerminal) {
  for (AnyRecord record : every_kind()) {
    if (auto* run = std::get_if<RunRecord>(&record)) {
      run->sensitivity->layers[0].layer.name = run->plan->entries[0].layer = "evil\x1b]0;owned\x07";
      run->model.path = run->verification->outputs[0].name = run->warnings.emplace_back("\x1b[2J");
    }
    if (auto* scores = std::get_if<Sensitivity>(&record))
      scores->skipped[0].skip_reason = scores->model.path = "\x1b[2J";
    if (auto* plan = std::get_if<Plan>(&record)) plan->entries[0].layer = plan->budget = "\x1b[2J";
    EXPECT_THAT(render(record, plain()), Not(HasSubstr("\x1b")));
  }
}

TEST(Render, ColoursAreOptional) {
  ReportOptions options = plain();
  options.color = true;
  EXPECT_THAT(render(report_test::sample_run(), options), HasSubstr("\x1b[1m"));
}

TEST(Render, AsciiReportsAreAscii) {
  for (const AnyRecord& record : every_kind()) {
    for (const char c : render(record, plain())) ASSERT_LT(static_cast<unsigned char>(c), 0x80);
  }
}

TEST(Render, TopCutsTheTable) {
  ReportOptions options = plain();
  options.top = 1;
  const std::string text = render(report_test::sample_run(), options);
  EXPECT_THAT(text, HasSubstr("2 less sensitive layers not shown"));
  EXPECT_THAT(text, Not(HasSubstr("3  conv1")));
}

TEST(Render, PartialRunsRender) {
  RunRecord run;
  run.command = "verify";
  EXPECT_THAT(render(run, plain()), HasSubstr("mpq verify"));
  run = report_test::sample_run();
  run.verification.reset();
  run.output.reset();
  EXPECT_THAT(render(run, plain()), HasSubstr("9,900 bytes when written = 19.8 % of the model"));
  run.sensitivity.reset();
  EXPECT_THAT(render(run, plain()), HasSubstr("conv2"));
}

TEST(WriteReport, WritesWhatRenderGivesAndRefusesToOverwrite) {
  const auto folder = std::filesystem::temp_directory_path() / "mpq_write_report_test";
  std::filesystem::create_directories(folder);
  const std::string path = (folder / "plan.csv").string();
  std::filesystem::remove(path);
  write_report(path, report_test::sample_plan(), {.format = "csv"}, false);
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), render(report_test::sample_plan(), {.format = "csv"}));
  EXPECT_THROW(write_report(path, report_test::sample_plan(), {}, false), Error);
  write_report(path, report_test::sample_plan(), {}, true);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace mpq
