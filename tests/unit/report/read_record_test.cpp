#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "mpq/error.h"
#include "mpq/report.h"

#include "sample_records.h"

namespace mpq {
namespace {

class ReadRecord : public testing::Test {
 protected:
  void SetUp() override {
    path_ = (std::filesystem::temp_directory_path() /
             (std::string("mpq_read_record_") + testing::UnitTest::GetInstance()->current_test_info()->name()))
                .string();
  }
  void TearDown() override { std::filesystem::remove(path_); }

  AnyRecord read(const std::string& text) {
    std::ofstream(path_) << text;
    return read_record(path_);
  }
  void expect_refused(const std::string& text, const std::string& message) {
    try {
      read(text);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
      EXPECT_EQ(error.where(), path_);
      EXPECT_THAT(error.what(), testing::HasSubstr(message));
    }
  }

  std::string path_;
};

TEST_F(ReadRecord, TellsRecordsApart) {
  EXPECT_TRUE(std::holds_alternative<RunRecord>(read(to_json(report_test::sample_run()))));
  EXPECT_TRUE(std::holds_alternative<Sensitivity>(read(to_json(report_test::sample_sensitivity()))));
  EXPECT_TRUE(std::holds_alternative<Plan>(read(to_json(report_test::sample_plan()))));
}

TEST_F(ReadRecord, RendersTheSameAfterARoundTrip) {
  ReportOptions options;
  for (const AnyRecord& record : {AnyRecord(report_test::sample_run()), AnyRecord(report_test::sample_sensitivity()),
                                  AnyRecord(report_test::sample_plan())}) {
    options.format = "json";
    const AnyRecord again = read(render(record, options));
    for (const char* format : {"table", "csv", "json"}) {
      options.format = format;
      EXPECT_EQ(render(again, options), render(record, options)) << format;
    }
  }
}

TEST_F(ReadRecord, RefusesWhatIsNoRecord) {
  expect_refused("", "no JSON object");
  expect_refused("[1, 2]", "no JSON object");
  expect_refused("{\"a\": 1}", "does not say run, sensitivity, plan or profile");
  expect_refused("{\"record\": 7}", "does not say run, sensitivity, plan or profile");
  expect_refused(std::string(100'000, '['), "no JSON object");
}

TEST_F(ReadRecord, MissingFilesAreInvalidInput) {
  try {
    read_record("/nonexistent/x.run.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
  }
}

}  // namespace
}  // namespace mpq
