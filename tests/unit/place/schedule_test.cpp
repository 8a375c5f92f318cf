#include "place/schedule.h"

#include <gtest/gtest.h>

#include "problems.h"

namespace mpq::placing {
namespace {

/// A diamond: 0 feeds 1 and 2, these feed 3.
Problem diamond() {
  Problem problem;
  problem.segments = 4;
  problem.processors = {{.name = "a", .resources = 1}, {.name = "b", .resources = 2, .in_seconds = 0.25}};
  problem.seconds.assign(8, 1);
  problem.handovers = {{1, 0, {1, 2}}, {1, 1, {3}}, {1, 2, {3}}};
  return problem;
}

TEST(Schedule, StartsTasksWhenTheirInputsAndCoresAreThere) {
  Schedule schedule{{{{0}, 0}, {{1}, 0}, {{2}, 1}, {{3}, 0}}};
  settle(diamond(), schedule);
  EXPECT_DOUBLE_EQ(schedule.tasks[2].start, 1);
  EXPECT_DOUBLE_EQ(schedule.tasks[2].seconds, 1.25);
  EXPECT_DOUBLE_EQ(schedule.tasks[3].start, 2.25);
  EXPECT_DOUBLE_EQ(schedule.seconds, 3.25);
}

TEST(Schedule, LetsProcessorsOfOneCoreTakeTurns) {
  Problem problem = diamond();
  problem.processors[1].resources = 1;
  Schedule schedule{{{{0}, 0}, {{1}, 0}, {{2}, 1}, {{3}, 0}}};
  settle(problem, schedule);
  EXPECT_DOUBLE_EQ(schedule.seconds, 4.25);
}

TEST(Schedule, IsInfiniteInAnOrderThatReadsWhatIsNotThere) {
  Schedule schedule{{{{1}, 0}, {{0}, 1}, {{2}, 1}, {{3}, 0}}};
  settle(diamond(), schedule);
  EXPECT_EQ(schedule.seconds, kNever);
}

TEST(Schedule, IsInfiniteWithoutTheMemory) {
  Problem problem = diamond();
  problem.memory.assign(8, 1);
  problem.processors[0].memory_bytes = 2;
  Schedule schedule{{{{0}, 0}, {{1}, 0}, {{2}, 1}, {{3}, 0}}};
  settle(problem, schedule);
  EXPECT_EQ(schedule.seconds, kNever);
}

TEST(JoinTasks, JoinsWhatSavesAndLeavesWhatWouldWait) {
  Problem problem = diamond();
  for (auto& processor : problem.processors) processor.run_overhead = 0.125;
  Schedule schedule{{{{0}, 0}, {{1}, 0}, {{2}, 1}, {{3}, 0}}};
  join_tasks(problem, schedule);
  // 0 with 1 would make 2 wait for 1; 1 with 3 would make 1 wait for 2.
  EXPECT_EQ(schedule.tasks.size(), 4U);
  Schedule alone{{{{0}, 0}, {{1}, 0}, {{2}, 0}, {{3}, 0}}};
  join_tasks(problem, alone);
  EXPECT_EQ(alone.tasks.size(), 1U);
  EXPECT_DOUBLE_EQ(alone.seconds, 4 - 3 * 0.125);
}

TEST(ListSchedule, GivesEverySegmentOnceInAnOrderThatCanRun) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 500; ++i) {
    const Problem problem =
        random_problem({.segments = 1 + i % 15, .processors = 3, .chain = false, .unsupported = 0.2}, random);
    Schedule schedule{list_schedule(problem, 0, problem.segments, 7)};
    ASSERT_EQ(schedule.tasks.size(), static_cast<std::size_t>(problem.segments));
    settle(problem, schedule);
    EXPECT_LT(schedule.seconds, kNever);
  }
}

TEST(ListSchedule, IsEmptyWhereASegmentRunsOnNoneOfThem) {
  Problem problem = diamond();
  problem.seconds[problem.cell(2, 0)] = kNever;
  EXPECT_TRUE(list_schedule(problem, 0, 4, 1).empty());
}

}  // namespace
}  // namespace mpq::placing
