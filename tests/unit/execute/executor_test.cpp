#include "mpq/executor.h"

#include <cstring>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"
#include "mpq/execution.h"

#include "runtime/session.h"
#include "support/affinity.h"

// Real sessions of a real network. What a placement computes must be what one session computes, to the bit.

namespace mpq {
namespace {

using ::testing::HasSubstr;
using Kind = InjectedFault::Kind;

struct Digits {
  Model model = Model::load(MPQ_MODELS "/digits/model.onnx");
  Samples samples = Samples::synthetic(model, 12, 1);
  Profile profile = measured();

  /// Three processors on the cores there are, so that one may be lost twice.
  Profile measured() const {
    const auto& cores = available_cores();
    const std::string first = std::to_string(cores.front()), last = std::to_string(cores.back());
    ProfileOptions options;
    options.processors = parse_processors(first == last ? "cpu:" + first : "cpu:" + first + ",cpu:" + last);
    options.precisions = {"float32"};
    options.repeats = 3;
    return mpq::profile(model, samples, options);
  }
  int processors() const { return static_cast<int>(profile.processors.size()); }
  int segments() const { return static_cast<int>(profile.segments.size()); }
};

const Digits& digits() {
  static const Digits value;
  return value;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.type() == b.type() && a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

const std::vector<std::vector<Tensor>>& expected() {
  static const auto values = [] {
    const runtime::Session session(digits().model);
    std::vector<std::vector<Tensor>> results;
    for (std::size_t i = 0; i < digits().samples.size(); ++i) results.push_back(session.run(digits().samples[i]));
    return results;
  }();
  return values;
}

void expect_same(const Feed& outputs, std::size_t sample) {
  const auto& infos = digits().model.outputs();
  ASSERT_EQ(outputs.size(), infos.size());
  for (std::size_t i = 0; i < infos.size(); ++i)
    EXPECT_TRUE(same_bits(outputs.at(infos[i].name), expected()[sample][i])) << "sample " << sample;
}

/// A pipeline cut at these places, its stages on the processors in turn.
Placement pipeline(const std::vector<int>& cuts, TaskKind task = TaskKind::kAsync) {
  Placement placement;
  placement.task = task;
  Lane& lane = placement.lanes.emplace_back();
  int first = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    PlacedSubnet& subnet = lane.subnets.emplace_back();
    for (; first < (i < cuts.size() ? cuts[i] : digits().segments()); ++first) subnet.segments.push_back(first);
    subnet.processors = {static_cast<int>(i) % digits().processors()};
  }
  lane.in_flight = 2 * static_cast<int>(lane.subnets.size());
  return priced(digits().profile, placement);
}

std::vector<int> all_cuts() {
  std::vector<int> cuts;
  for (int s = 1; s < digits().segments(); ++s) cuts.push_back(s);
  return cuts;
}

void expect_stream(Executor& executor, int requests = 60) {
  std::vector<std::future<Feed>> answers;
  for (int i = 0; i < requests; ++i) answers.push_back(executor.submit(digits().samples[static_cast<std::size_t>(i) % 12]));
  for (std::size_t i = 0; i < answers.size(); ++i) expect_same(answers[i].get(), i % 12);
}

TEST(Executor, ComputesWhatOneSessionComputes) {
  for (const auto& cuts : {std::vector<int>{}, {1}, {digits().segments() - 1}, all_cuts()}) {
    Executor executor(digits().model, digits().profile, pipeline(cuts));
    expect_stream(executor);
  }
}

TEST(Executor, ComputesTheSamePlacedForThroughputAndForLatency) {
  for (const TaskKind task : {TaskKind::kAsync, TaskKind::kSync}) {
    PlaceOptions options;
    options.task = task;
    Executor executor(digits().model, digits().profile, place(digits().profile, options));
    for (std::size_t i = 0; i < 12; ++i) expect_same(executor.run(digits().samples[i]), i);
  }
}

TEST(Executor, SurvivesAProcessorThatDies) {
  if (digits().processors() < 2) GTEST_SKIP() << "one core only";
  ExecutorOptions options;
  options.faults = {{digits().profile.processors[1].name, Kind::kDie, 7, false, 0}};
  Executor executor(digits().model, digits().profile, pipeline({1}), options);
  expect_stream(executor);
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
  expect_stream(executor);
  EXPECT_THAT(executor.health()[0].lost, HasSubstr("not returned"));
}

TEST(Executor, RefusesInputsAtOnce) {
  Executor executor(digits().model, digits().profile, pipeline({1}));
  EXPECT_THROW(executor.submit({}), Error);
  Feed wrong = digits().samples[0];
  wrong.begin()->second = Tensor(DType::kInt64, {3});
  EXPECT_THROW(executor.submit(wrong), Error);
  expect_stream(executor, 12);
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
  expect_stream(executor, 20);
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
    for (std::size_t i = 0; i < 30; ++i) expect_same(result.outputs[i], i % 12);
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
