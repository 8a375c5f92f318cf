#include "place/spans.h"

#include <gtest/gtest.h>

#include "problems.h"

namespace mpq::placing {
namespace {

TEST(Spans, CountWhatComesInAndGoesOut) {
  Problem problem;
  problem.segments = 3;
  problem.processors = {{.name = "a", .resources = 1, .in_seconds = 1, .in_seconds_per_byte = 0.01, .out_seconds = 2,
                         .out_seconds_per_byte = 0.1}};
  problem.seconds = {10, 10, 10};
  problem.savings = {1, 2, 0};
  problem.handovers = {{100, 0, {1, 2}}, {10, 1, {2}}, {7, -1, {0, 2}}};
  const Spans spans(problem);
  EXPECT_DOUBLE_EQ(spans.seconds(0, 3, 0), 27);
  EXPECT_DOUBLE_EQ(spans.seconds(0, 1, 0), 10 + 2 + 10);           // gives 100 out
  EXPECT_DOUBLE_EQ(spans.seconds(1, 2, 0), 10 + 1 + 1 + 2 + 1);    // takes 100, gives 10
  EXPECT_DOUBLE_EQ(spans.seconds(0, 2, 0), 19 + 2 + 11);
  EXPECT_DOUBLE_EQ(spans.seconds(2, 3, 0), 10 + 1 + 1.1);
  EXPECT_DOUBLE_EQ(spans.compute(1, 3, 0), 18);
}

TEST(Spans, AreNeverWhereASegmentDoesNotRun) {
  Problem problem;
  problem.segments = 3;
  problem.processors = {{.name = "a", .resources = 1}};
  problem.seconds = {1, kNever, 1};
  const Spans spans(problem);
  EXPECT_EQ(spans.compute(0, 2, 0), kNever);
  EXPECT_EQ(spans.compute(1, 2, 0), kNever);
  EXPECT_EQ(spans.compute(2, 3, 0), 1);
}

}  // namespace
}  // namespace mpq::placing
