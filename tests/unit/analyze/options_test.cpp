#include <gtest/gtest.h>

#include "mpq/analyze.h"
#include "mpq/error.h"

namespace mpq {
namespace {

void expect_usage_error(const AnalyzeOptions& options, const std::string& where) {
  try {
    options.validate();
    FAIL() << where;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_EQ(error.where(), where);
  }
}

TEST(AnalyzeOptions, DefaultsAreValid) { EXPECT_NO_THROW(AnalyzeOptions{}.validate()); }

TEST(AnalyzeOptions, NamesTheOptionThatIsWrong) {
  AnalyzeOptions options;
  options.noise = "guassian";
  expect_usage_error(options, "--noise");
  options = {};
  options.place = "here";
  expect_usage_error(options, "--place");
  options = {};
  options.metric = "psnr";
  expect_usage_error(options, "--metric");
  options = {};
  options.aggregation = "median";
  expect_usage_error(options, "--aggregation");
  options = {};
  options.trials = -1;
  expect_usage_error(options, "--trials");
  options = {};
  options.bits = {4, 9};
  expect_usage_error(options, "--bits");
  options = {};
  options.bits = {};
  expect_usage_error(options, "--bits");
  options = {};
  options.quantile = 1;
  expect_usage_error(options, "--quantile");
}

TEST(AnalyzeOptions, PortableFilesHaveNoWideIntegersAndNoYoungForms) {
  AnalyzeOptions options;
  options.portable = true;
  expect_usage_error(options, "--portable");  // 8 bits are among the widths
  options.bits = {3, 7, 16};
  EXPECT_NO_THROW(options.validate());
  options.forms = {"grid", "rows"};
  expect_usage_error(options, "--portable");
}

TEST(AnalyzeOptions, SuggestsTheNearestValue) {
  AnalyzeOptions options;
  options.noise = "guassian";
  try {
    options.validate();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.hint(), "Did you mean \"gaussian\"?");
  }
}

}  // namespace
}  // namespace mpq
