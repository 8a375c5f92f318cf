#include "place/bounds.h"

#include <gtest/gtest.h>

#include "problems.h"

namespace mpq::placing {
namespace {

TEST(WorkBound, IsWorkByProcessorsForEqualOnes) {
  Problem problem;
  problem.segments = 5;
  for (int p = 0; p < 4; ++p) problem.processors.push_back({.name = "p", .resources = std::uint64_t{1} << p});
  for (int s = 0; s < 5; ++s) problem.seconds.insert(problem.seconds.end(), 4, s + 1.0);
  EXPECT_NEAR(work_bound(problem), 15.0 / 4, 1e-9);
}

/// Two processors: fractions move to the first in the order of their advantage there, which solves the relaxation.
double relaxed_for_two(const Problem& problem) {
  std::vector<int> order;
  double a = 0, b = 0;
  for (int s = 0; s < problem.segments; ++s) {
    order.push_back(s);
    b += problem.time(s, 1);
  }
  std::sort(order.begin(), order.end(), [&](int x, int y) {
    return problem.time(x, 0) / problem.time(x, 1) < problem.time(y, 0) / problem.time(y, 1);
  });
  for (const int s : order) {
    const double share = std::min(1.0, (b - a) / (problem.time(s, 0) + problem.time(s, 1)));
    if (share <= 0) break;
    a += share * problem.time(s, 0);
    b -= share * problem.time(s, 1);
  }
  return std::max(a, b);
}

TEST(WorkBound, NearsTheLinearRelaxationFromBelow) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 300; ++i) {
    const Problem problem = random_problem({.segments = 1 + i % 40, .processors = 2, .savings = false}, random);
    const double relaxed = relaxed_for_two(problem);
    EXPECT_LE(work_bound(problem), relaxed * (1 + 1e-9));
    EXPECT_GE(work_bound(problem), relaxed * 0.97) << i;
  }
}

TEST(CriticalPath, IsTheLongestChainAtTheFastestProcessors) {
  Problem problem;
  problem.segments = 4;
  problem.processors = {{.name = "a", .resources = 1}, {.name = "b", .resources = 2}};
  problem.seconds = {1, 2, 5, 3, 2, 9, 1, 1};
  problem.handovers = {{1, 0, {1, 2}}, {1, 1, {3}}, {1, 2, {3}}};
  EXPECT_NEAR(critical_path(problem), 1 + 3 + 1, 1e-12);
}

}  // namespace
}  // namespace mpq::placing
