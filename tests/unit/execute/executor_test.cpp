#include "mpq/executor.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"
#include "mpq/execution.h"

#include "digits.h"

// Real sessions of a real network. What a placement computes must be what its subnets compute one after the other on
// one processor, to the bit; a cut itself may change the runtime's choice of kernels, and so the last digits.

namespace mpq {
namespace {

using ::testing::HasSubstr;
using Kind = InjectedFault::Kind;

using testing_executor::digits;
using testing_executor::expect_close;
using testing_executor::one_session;

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.type() == b.type() && a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

/// A pipeline cut at these places, its stages on the first `processors` in turn.
Placement pipeline(const std::vector<int>& cuts, int processors = digits().processors()) {
  Placement placement;
  Lane& lane = placement.lanes.emplace_back();
  int first = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    PlacedSubnet& subnet = lane.subnets.emplace_back();
    for (; first < (i < cuts.size() ? cuts[i] : digits().segments()); ++first) subnet.segments.push_back(first);
    subnet.processors = {static_cast<int>(i) % processors};
  }
  lane.in_flight = 2 * static_cast<int>(lane.subnets.size());
  return priced(digits().profile, placement);
}

/// The same subnets, one request after the other on one processor.
std::vector<Feed> on_one_processor(const std::vector<int>& cuts) {
  Executor executor(digits().model, digits().profile, pipeline(cuts, 1));
  std::vector<Feed> results;
  for (std::size_t i = 0; i < digits().samples.size(); ++i) results.push_back(executor.run(digits().samples[i]));
  return results;
}

void expect_same(const Feed& outputs, const Feed& expected) {
  ASSERT_EQ(outputs.size(), expected.size());
  for (const auto& [name, tensor] : expected) EXPECT_TRUE(same_bits(outputs.at(name), tensor)) << name;
}

std::vector<int> all_cuts() {
  std::vector<int> cuts;
  for (int s = 1; s < digits().segments(); ++s) cuts.push_back(s);
  return cuts;
}

void expect_stream(Executor& executor, const std::vector<Feed>& expected, int requests = 60) {
  std::vector<std::future<Feed>> answers;
  for (int i = 0; i < requests; ++i)
    answers.push_back(executor.submit(digits().samples[static_cast<std::size_t>(i) % 12]));
  for (std::size_t i = 0; i < answers.size(); ++i) expect_same(answers[i].get(), expected[i % 12]);
}

TEST(Executor, ComputesWhatOneProcessorComputes) {
  for (const auto& cuts : {std::vector<int>{}, {1}, {digits().segments() - 1}, all_cuts()}) {
    Executor executor(digits().model, digits().profile, pipeline(cuts));
    const std::vector<Feed> expected = on_one_processor(cuts);
    expect_stream(executor, expected);
    for (std::size_t i = 0; i < expected.size(); ++i) expect_close(expected[i], one_session()[i]);
  }
}

TEST(Executor, ComputesWhatOneSessionComputesWhereNothingIsCut) {
  Executor executor(digits().model, digits().profile, pipeline({}));
  expect_stream(executor, one_session());
}

TEST(Executor, SurvivesAProcessorThatDies) {
  if (digits().processors() < 2) GTEST_SKIP() << "one core only";
  ExecutorOptions options;
  options.faults = {{digits().profile.processors[1].name, Kind::kDie, 7, false, 0}};
  Executor executor(digits().model, digits().profile, pipeline({1}), options);
  expect_stream(executor, on_one_processor({1}));
  EXPECT_THAT(executor.health()[1].lost, HasSubstr("death"));
  EXPECT_THAT(executor.marked_profile().processors[1].absent, HasSubstr("death"));
  EXPECT_TRUE(executor.marked_profile().processors[0].present());
  // The marked profile is what the next placement starts from.
  EXPECT_EQ(place(executor.marked_profile()).lanes.at(0).subnets.at(0).processors.at(0), 0);
}

TEST(Executor, SurvivesAProcessorThatStalls) {
  if (digits().processors() < 2) GTEST_SKIP() << "one core only";
  ExecutorOptions options;
  options.faults = {{digits().profile.processors[0].name, Kind::kStall, 5, false, 0}};
  options.stall_seconds = 0.3;
  Executor executor(digits().model, digits().profile, pipeline({1}), options);
  expect_stream(executor, on_one_processor({1}));
  EXPECT_THAT(executor.health()[0].lost, HasSubstr("not returned"));
}

TEST(Executor, RefusesInputsAtOnce) {
  Executor executor(digits().model, digits().profile, pipeline({1}));
  EXPECT_THROW(executor.submit({}), Error);
  Feed wrong = digits().samples[0];
  wrong.begin()->second = Tensor(DType::kInt64, {3});
  EXPECT_THROW(executor.submit(wrong), Error);
  expect_stream(executor, on_one_processor({1}), 12);
}

TEST(Executor, RefusesPlacementsThatDoNotFit) {
  Placement placement = pipeline({1});
  placement.lanes[0].subnets.pop_back();
  EXPECT_THROW(Executor(digits().model, digits().profile, placement), Error);
  placement = pipeline({1});
  placement.lanes[0].subnets[0].processors = {17};
  EXPECT_THROW(Executor(digits().model, digits().profile, placement), Error);
  Profile other = digits().profile;
  other.model.sha256 = std::string(64, '0');
  EXPECT_THROW(Executor(digits().model, other, pipeline({1})), Error);
}

TEST(Executor, TracesEveryRun) {
  ExecutorOptions options;
  options.trace = true;
  Executor executor(digits().model, digits().profile, pipeline({1}), options);
  expect_stream(executor, on_one_processor({1}), 20);
  const auto events = executor.events();
  EXPECT_EQ(events.size(), 40U);
  for (const ExecutionEvent& event : events) EXPECT_LT(event.start, event.end);
}

TEST(RunTask, MeasuresBesideWhatWasPredicted) {
  RunTaskOptions options;
  options.requests = 30;
  for (const TaskKind task : {TaskKind::kAsync, TaskKind::kSync}) {
    options.place.task = task;
    const ExecutionResult result = run_task(digits().model, digits().profile, digits().samples, options);
    EXPECT_EQ(result.record.failed, 0);
    EXPECT_GT(result.record.rate, 0);
    EXPECT_GT(result.record.median_seconds, 0);
    std::int64_t runs = 0;
    for (const SubnetFigures& figures : result.record.subnets) runs += figures.runs;
    EXPECT_EQ(runs % 30, 0);
    ASSERT_EQ(result.outputs.size(), 30U);
    for (std::size_t i = 0; i < 30; ++i) expect_close(result.outputs[i], one_session()[i % 12]);
    EXPECT_FALSE(result.record.timeline.empty());
  }
}

TEST(DivisibleRows, AreThoseTheModelLeavesOpen) {
  const std::int64_t rows = divisible_rows(digits().model, digits().samples[0]);
  const bool open = digits().model.inputs()[0].shape[0] < 0 && digits().model.outputs()[0].shape[0] < 0;
  EXPECT_EQ(rows, open ? digits().samples[0].begin()->second.shape()[0] : 0);
}

}  // namespace
}  // namespace mpq
