#include "execute/engine.h"

#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "execute/faults.h"

// The engine on made-up subnets: every task adds what it stands for to a number, so that a result tells which tasks it
// went through, once each. These tests run under ThreadSanitizer too.

namespace mpq::executing {
namespace {

using ::testing::HasSubstr;
using Kind = InjectedFault::Kind;

Value number(std::int64_t value) {
  Tensor tensor(DType::kInt64, {1});
  tensor.as_mutable<std::int64_t>()[0] = value;
  return Value(tensor);
}
std::int64_t number_of(const Value& value) { return value.tensor().as<std::int64_t>()[0]; }

/// Adds `amount` to the sum of the inputs; numbers below 0 are bad requests.
class Adder : public Subnet {
 public:
  Adder(std::int64_t amount, double seconds) : amount_(amount), seconds_(seconds) {}
  std::vector<Value> run(const std::vector<Value>& inputs) override {
    std::int64_t sum = amount_;
    for (const Value& input : inputs) {
      if (number_of(input) < 0) throw std::runtime_error("A negative number.");
      sum += number_of(input);
    }
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds_));
    return {number(sum)};
  }

 private:
  std::int64_t amount_;
  double seconds_;
};

/// A plan, the faults of its processors, and where everything ran.
struct Network {
  EnginePlan plan;
  double seconds = 0;
  std::map<int, std::vector<InjectedFault>> faults;
  std::set<int> refuses = {};  ///< processors on which nothing can be made

  SubnetFactory factory() const {
    auto broken = std::make_shared<std::map<int, std::shared_ptr<FaultyProcessor>>>();
    for (const auto& [processor, list] : faults) (*broken)[processor] = std::make_shared<FaultyProcessor>(list);
    return [broken, pause = seconds, none = refuses](int, int task, int processor) -> std::unique_ptr<Subnet> {
      if (none.count(processor) != 0) throw std::runtime_error("Not here.");
      auto inner = std::make_unique<Adder>(std::int64_t{1} << (10 * task), pause);
      const auto fault = broken->find(processor);
      return fault == broken->end() ? std::move(inner) : with_faults(std::move(inner), fault->second);
    };
  }
};

EnginePlan processors(int count) {
  EnginePlan plan;
  for (int p = 0; p < count; ++p) plan.processors.push_back({"p" + std::to_string(p), std::uint64_t{1} << p, {}});
  return plan;
}

/// Stages 0 -> 1 -> ..., stage k on the processors listed; all processors could serve each.
Network pipeline(int count, const std::vector<std::vector<int>>& stages) {
  Network network;
  network.plan = processors(count);
  EngineLane lane;
  for (std::size_t k = 0; k < stages.size(); ++k) {
    const int value = static_cast<int>(k);
    lane.tasks.push_back({{value}, {value + 1}, stages[k], std::vector<double>(static_cast<std::size_t>(count), 1), 0});
  }
  lane.in_flight = 2 * static_cast<int>(stages.size());
  network.plan.lanes = {lane};
  network.plan.values = static_cast<int>(stages.size()) + 1;
  network.plan.results = {static_cast<int>(stages.size())};
  return network;
}

Network replicas(int count) {
  Network network = pipeline(count, {{0}});
  for (int p = 1; p < count; ++p) {
    network.plan.lanes.push_back(network.plan.lanes[0]);
    network.plan.lanes.back().tasks[0].processors = {p};
  }
  for (EngineLane& lane : network.plan.lanes) lane.in_flight = 1;
  return network;
}

struct Answer {
  std::int64_t value = 0;
  std::string failure;
};

/// Sends 0, 1, 2, ... and returns the answers in the order in which they came.
class Stream {
 public:
  explicit Stream(const Network& network, const EngineOptions& options = {})
      : engine_(network.plan, network.factory(), options), values_(network.plan.values) {}

  void send(std::int64_t value) {
    std::vector<Value> values(static_cast<std::size_t>(values_));
    values[0] = number(value);
    const std::int64_t request = sent_++;
    engine_.submit(std::move(values), [this, request](std::vector<Value> results, std::exception_ptr failure) {
      order_.push_back(request);
      Answer& answer = answers_.emplace_back();
      if (!failure) {
        answer.value = number_of(results.at(0));
        return;
      }
      try {
        std::rethrow_exception(failure);
      } catch (const std::exception& error) {
        answer.failure = error.what();
      }
    });
  }
  const std::vector<Answer>& finish() {
    engine_.wait();
    for (std::size_t i = 0; i < order_.size(); ++i) EXPECT_EQ(order_[i], static_cast<std::int64_t>(i));
    EXPECT_EQ(static_cast<std::int64_t>(answers_.size()), sent_);
    return answers_;
  }
  const Engine& engine() const { return engine_; }

 private:
  std::vector<Answer> answers_;
  std::vector<std::int64_t> order_;
  Engine engine_;
  int values_;
  std::int64_t sent_ = 0;
};

/// Every request answered once, in order, through every task once.
void expect_all(const Network& network, int requests, const EngineOptions& options = {},
                const std::function<void(const Engine&)>& look = {}) {
  std::int64_t added = 0;
  for (std::size_t task = 0; task < network.plan.lanes[0].tasks.size(); ++task) added += std::int64_t{1} << (10 * task);
  Stream stream(network, options);
  for (int i = 0; i < requests; ++i) stream.send(i);
  const std::vector<Answer>& answers = stream.finish();
  for (int i = 0; i < requests; ++i) {
    EXPECT_EQ(answers[static_cast<std::size_t>(i)].failure, "");
    EXPECT_EQ(answers[static_cast<std::size_t>(i)].value, i + added) << i;
  }
  if (look) look(stream.engine());
}

TEST(Engine, RunsAPipelineInOrder) { expect_all(pipeline(3, {{0}, {1}, {2}}), 500); }
TEST(Engine, RunsReplicasInOrder) {
  expect_all(replicas(4), 500, {}, [](const Engine& engine) {
    for (const EngineHealth& health : engine.health()) EXPECT_GT(health.runs, 0);
  });
}
TEST(Engine, RunsStagesWithReplicas) { expect_all(pipeline(4, {{0, 1}, {2, 3}}), 500); }
TEST(Engine, LetsOneProcessorServeSeveralStages) { expect_all(pipeline(2, {{0}, {1}, {0}}), 300); }

TEST(Engine, HoldsNoMoreRequestsThanItMay) {
  Network network = pipeline(2, {{0}, {1}});
  network.seconds = 0.001;
  network.plan.lanes[0].in_flight = 3;
  Stream stream(network, {.queue = 5});
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 40; ++i) stream.send(i);
  // All but the 3 inside and the 5 that wait were answered before the last was taken.
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  EXPECT_GE(spent.count(), 0.030);
  stream.finish();
}

TEST(Engine, RunsBranchesAtTheSameTimeAndKeepsProcessorsThatShareCoresApart) {
  // 0 feeds 1 and 2, these feed 3; processor 2 has the cores of both others.
  Network network;
  network.plan = processors(3);
  network.plan.processors[2].resources = 3;
  network.seconds = 0.01;
  const std::vector<double> any(3, 1);
  network.plan.lanes = {
      {{{{0}, {1}, {2}, any, 0}, {{1}, {2}, {0}, any, 1}, {{1}, {3}, {1}, any, 1}, {{2, 3}, {4}, {2}, any, 2}}}};
  network.plan.values = 5;
  network.plan.results = {4};
  Stream stream(network, {.trace = true});
  for (int i = 0; i < 5; ++i) stream.send(0);
  for (const Answer& answer : stream.finish())
    EXPECT_EQ(answer.value, 2 + (1 << 10) + (1 << 20) + (std::int64_t{1} << 30));
  const auto events = stream.engine().events();
  ASSERT_EQ(events.size(), 20U);
  double overlap = 0;
  for (const EngineEvent& a : events) {
    for (const EngineEvent& b : events) {
      const double both = std::min(a.end, b.end) - std::max(a.start, b.start);
      if (a.task == 1 && b.task == 2 && a.request == b.request) overlap += std::max(0.0, both);
      const bool shares = (a.processor == 2) != (b.processor == 2);
      EXPECT_TRUE(!shares || both <= 0);
    }
  }
  EXPECT_GT(overlap, 0.01);  // of 5 times 0.01
}

TEST(Engine, TellsWhenARequestEnteredItsLane) {
  Network network = pipeline(1, {{0}});  // two requests inside
  network.seconds = 0.01;
  Stream stream(network, {.trace = true});
  for (int i = 0; i < 3; ++i) stream.send(i);
  stream.finish();
  const auto events = stream.engine().events();
  ASSERT_EQ(events.size(), 3U);
  for (const EngineEvent& event : events) EXPECT_LE(event.entered, event.start);
  EXPECT_LT(events[1].entered, events[0].end);
  EXPECT_GE(events[2].entered, events[0].end);
}

TEST(Engine, FailsABadRequestAlone) {
  Stream stream(pipeline(3, {{0}, {1}}));
  for (int i = 0; i < 50; ++i) stream.send(i % 10 == 3 ? -5 : i);
  const std::vector<Answer>& answers = stream.finish();
  for (int i = 0; i < 50; ++i) {
    const Answer& answer = answers[static_cast<std::size_t>(i)];
    EXPECT_EQ(answer.failure, i % 10 == 3 ? "A negative number." : "") << i;
  }
  for (const EngineHealth& health : stream.engine().health()) EXPECT_EQ(health.lost, "");
}

TEST(Engine, FailsABadRequestOnTheOnlyProcessor) {
  Stream stream(pipeline(1, {{0}}));
  stream.send(-1);
  stream.send(1);
  EXPECT_EQ(stream.finish()[0].failure, "A negative number.");
  EXPECT_EQ(stream.finish()[1].value, 2);
}

TEST(Engine, RepeatsARunThatFailedElsewhere) {
  Network network = pipeline(2, {{0}, {1}});
  network.faults[1] = {{.processor = "p1", .kind = Kind::kFail, .after_runs = 7}};
  expect_all(network, 50, {}, [](const Engine& engine) { EXPECT_EQ(engine.health()[1].lost, ""); });
}

TEST(Engine, GivesUpAProcessorThatFailsAgainAndAgain) {
  Network network = pipeline(2, {{0}, {1}});
  network.faults[1] = {{.processor = "p1", .kind = Kind::kFail, .after_runs = 7, .always = true}};
  expect_all(network, 50, {},
             [](const Engine& engine) { EXPECT_THAT(engine.health()[1].lost, HasSubstr("three times")); });
}

TEST(Engine, MovesTheStageOfAProcessorThatDies) {
  for (const int dying : {0, 1, 2}) {
    Network network = pipeline(3, {{0}, {1}, {2}});
    network.faults[dying] = {{.processor = "p", .kind = Kind::kDie, .after_runs = 11}};
    expect_all(network, 200, {}, [&](const Engine& engine) {
      EXPECT_THAT(engine.health()[static_cast<std::size_t>(dying)].lost, HasSubstr("injected death"));
      EXPECT_EQ(engine.health()[static_cast<std::size_t>(dying)].runs, 11);
    });
  }
}

TEST(Engine, SurvivesUntilOneProcessorIsLeft) {
  Network network = pipeline(4, {{0}, {1}, {2}, {3}});
  for (const int p : {0, 1, 3}) network.faults[p] = {{.processor = "p", .kind = Kind::kDie, .after_runs = 5 * (p + 1)}};
  expect_all(network, 200, {}, [](const Engine& engine) {
    EXPECT_EQ(engine.health()[2].lost, "");
    EXPECT_NE(engine.health()[3].lost, "");
  });
}

TEST(Engine, MovesRequestsOfAReplicaThatDies) {
  Network network = replicas(3);
  network.faults[1] = {{.processor = "p1", .kind = Kind::kDie, .after_runs = 3}};
  expect_all(network, 200);
}

TEST(Engine, MovesWhatAProcessorThatStallsHolds) {
  Network network = pipeline(3, {{0}, {1}, {2}});
  network.faults[1] = {{.processor = "p1", .kind = Kind::kStall, .after_runs = 4}};
  expect_all(network, 60, {.stall_seconds = 0.05},
             [](const Engine& engine) { EXPECT_THAT(engine.health()[1].lost, HasSubstr("not returned")); });
}

TEST(Engine, DropsWhatAProcessorReturnsTooLate) {
  // Slower than the limit, but alive: it comes back while others do its work.
  Network network = pipeline(2, {{0}, {1}});
  network.faults[1] = {{.processor = "p1", .kind = Kind::kDelay, .seconds = 0.2}};
  expect_all(network, 20, {.stall_seconds = 0.04}, [](const Engine& engine) {
    EXPECT_NE(engine.health()[1].lost, "");
    EXPECT_EQ(engine.health()[1].runs, 0);
  });
}

TEST(Engine, FailsEverythingWhenNoProcessorIsLeft) {
  Network network = pipeline(2, {{0}, {1}});
  for (const int p : {0, 1}) network.faults[p] = {{.processor = "p", .kind = Kind::kDie, .after_runs = 10}};
  Stream stream(network);
  for (int i = 0; i < 60; ++i) stream.send(i);
  const std::vector<Answer>& answers = stream.finish();
  EXPECT_EQ(answers.front().failure, "");
  EXPECT_THAT(answers.back().failure, HasSubstr("No processor is left"));
}

TEST(Engine, TakesAnotherProcessorWhereTheFirstChoiceCannotMakeTheSubnet) {
  Network network = pipeline(3, {{0}});
  network.faults[0] = {{.processor = "p0", .kind = Kind::kDie, .after_runs = 2}};
  network.refuses = {1};
  expect_all(network, 20, {}, [](const Engine& engine) { EXPECT_GT(engine.health()[2].runs, 0); });
}

TEST(Engine, SaysAtOnceWhenASubnetCannotBeMade) {
  Network network = pipeline(2, {{0}, {1}});
  network.refuses = {1};
  EXPECT_THROW(Engine(network.plan, network.factory()), std::runtime_error);
}

TEST(Engine, TakesRequestsFromManyThreads) {
  const Network network = replicas(2);
  Engine engine(network.plan, network.factory(), {.queue = 4});
  std::atomic<std::int64_t> sum{0}, count{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        engine.submit({number(i), {}}, [&](std::vector<Value> results, std::exception_ptr) {
          sum += number_of(results.at(0));
          ++count;
        });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  engine.wait();
  EXPECT_EQ(count, 400);
  EXPECT_EQ(sum, 4 * (4950 + 100));
}

TEST(Engine, KeepsARequestInTheLaneItIsForcedInto) {
  const Network network = replicas(2);
  Engine engine(network.plan, network.factory());
  for (int i = 0; i < 20; ++i)
    engine.submit(
        {number(i), {}}, [](std::vector<Value>, std::exception_ptr) {}, 1);
  engine.wait();
  EXPECT_EQ(engine.health()[0].runs, 0);
  EXPECT_EQ(engine.health()[1].runs, 20);
}

}  // namespace
}  // namespace mpq::executing
