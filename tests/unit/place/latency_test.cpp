#include "place/latency.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "place/bounds.h"
#include "place/schedule.h"
#include "problems.h"

namespace mpq::placing {
namespace {

using ::testing::ElementsAre;

/// A chain, every assignment of processors to segments, written from the definition.
double best_chain(const Problem& problem) {
  double best = kNever;
  std::vector<int> on(static_cast<std::size_t>(problem.segments));
  const std::function<void(int)> choose = [&](int s) {
    if (s < problem.segments) {
      for (int p = 0; p < problem.processor_count(); ++p) {
        on[static_cast<std::size_t>(s)] = p;
        choose(s + 1);
      }
      return;
    }
    double total = 0;
    for (int i = 0; i < problem.segments; ++i) {
      const int p = on[static_cast<std::size_t>(i)];
      const double time = problem.time(i, p);
      if (i > 0 && on[static_cast<std::size_t>(i - 1)] == p) {
        total += time == kNever ? kNever : std::max(0.0, time - problem.savings[problem.cell(i - 1, p)]);
        continue;
      }
      total += time;
      if (i == 0) continue;
      const Processor &from = problem.processors[static_cast<std::size_t>(on[static_cast<std::size_t>(i - 1)])],
                      &to = problem.processors[static_cast<std::size_t>(p)];
      const auto bytes = static_cast<double>(problem.handovers[static_cast<std::size_t>(i - 1)].bytes);
      total += from.out_seconds + bytes * from.out_seconds_per_byte + to.in_seconds + bytes * to.in_seconds_per_byte;
    }
    best = std::min(best, total);
  };
  choose(0);
  return best;
}

TEST(Latency, AgreesWithBruteForceOnChains) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    const Problem problem = random_problem({.segments = 1 + static_cast<int>(random() % 7),
                                            .processors = 1 + static_cast<int>(random() % 3),
                                            .unsupported = i % 2 == 0 ? 0.2 : 0.0,
                                            .conflicts = 0.3},
                                           random);
    const double expected = best_chain(problem);
    SCOPED_TRACE(i);
    ASSERT_NEAR(place_for_latency(problem).seconds, expected, 1e-9 * expected);
  }
}

/// Executes the plan as the executor does and checks that no core does two things at a time, every value is there
/// before it is read, and the request is done when it was promised.
void expect_valid(const Problem& problem, const Placement& placement) {
  const auto& subnets = placement.lanes.at(0).subnets;
  std::vector<int> home(static_cast<std::size_t>(problem.segments), -1);
  double end = 0;
  for (std::size_t i = 0; i < subnets.size(); ++i) {
    end = std::max(end, subnets[i].start + subnets[i].seconds[0]);
    for (const int s : subnets[i].segments) {
      EXPECT_EQ(home[static_cast<std::size_t>(s)], -1);
      home[static_cast<std::size_t>(s)] = static_cast<int>(i);
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (!problem.exclude_each_other(subnets[i].processors[0], subnets[j].processors[0])) continue;
      const bool apart = subnets[i].start >= subnets[j].start + subnets[j].seconds[0] - 1e-9 ||
                         subnets[j].start >= subnets[i].start + subnets[i].seconds[0] - 1e-9;
      EXPECT_TRUE(apart);
    }
  }
  for (const Handover& value : problem.handovers) {
    for (const int reader : value.consumers) {
      const int from = home[static_cast<std::size_t>(value.producer)], to = home[static_cast<std::size_t>(reader)];
      ASSERT_TRUE(from >= 0 && to >= 0);
      if (from == to) continue;
      const auto &writer = subnets[static_cast<std::size_t>(from)], &read = subnets[static_cast<std::size_t>(to)];
      EXPECT_GE(read.start, writer.start + writer.seconds[0] - 1e-9);
    }
  }
  EXPECT_NEAR(end, placement.seconds, 1e-9 * end);
}

TEST(Latency, IsNeverSlowerThanOneProcessorNorFasterThanTheBound) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 2000; ++i) {
    const Problem problem = random_problem({.segments = 1 + static_cast<int>(random() % 12),
                                            .processors = 1 + static_cast<int>(random() % 4),
                                            .chain = false,
                                            .conflicts = 0.3},
                                           random);
    const Placement placement = place_for_latency(problem);
    SCOPED_TRACE(i);
    expect_valid(problem, placement);
    EXPECT_GE(placement.seconds, placement.lower_bound() * (1 - 1e-9));
    for (const auto& other : placement.alternatives) EXPECT_LE(placement.seconds, other.seconds * (1 + 1e-9));
    EXPECT_EQ(placement.alternatives.at(0).strategy, "single processor");
  }
}

/// A trunk, two towers of `length` segments, a joint.
Problem two_towers(int length, double trunk) {
  Problem problem;
  problem.segments = 2 * length + 2;
  problem.processors = {{.name = "a", .resources = 1}, {.name = "b", .resources = 2}, {.name = "ab", .resources = 3}};
  for (int s = 0; s < problem.segments; ++s) {
    const double time = s == 0 || s == problem.segments - 1 ? trunk : 1;
    problem.seconds.insert(problem.seconds.end(), {time, time, time / 1.5});
  }
  const int last = problem.segments - 1;
  problem.handovers.push_back({8, 0, {1, 1 + length}});
  for (int tower = 0; tower < 2; ++tower) {
    for (int s = 1; s <= length; ++s) {
      const int self = tower * length + s;
      problem.handovers.push_back({8, self, {s == length ? last : self + 1}});
    }
  }
  return problem;
}

TEST(Latency, RunsTowersSideBySideAndTheTrunkOnAllCores) {
  const Placement placement = place_for_latency(two_towers(5, 3));
  EXPECT_EQ(placement.strategy, "parallel branches");
  // Trunk and joint on both cores, 2 + 2, the towers on one core each, 5.
  EXPECT_NEAR(placement.seconds, 9, 1e-9);
  const auto& subnets = placement.lanes.at(0).subnets;
  ASSERT_EQ(subnets.size(), 4U);
  EXPECT_THAT(subnets[0].processors, ElementsAre(2));
  EXPECT_THAT(subnets[3].processors, ElementsAre(2));
}

TEST(Latency, BoundsTheTowersClosely) {
  const Placement placement = place_for_latency(two_towers(20, 0.1));
  EXPECT_LE(placement.seconds, 1.05 * placement.lower_bound());
}

TEST(Latency, SplitsTheBatchByTheProcessorsSpeeds) {
  Problem problem;
  problem.segments = 1;
  problem.processors = {{.name = "a", .resources = 1}, {.name = "b", .resources = 2}};
  problem.seconds = {12, 4};
  const Placement placement = place_for_latency(problem, 8);
  EXPECT_EQ(placement.strategy, "batch split");
  ASSERT_EQ(placement.lanes.size(), 2U);
  EXPECT_EQ(placement.lanes[0].rows, 2);
  EXPECT_EQ(placement.lanes[1].rows, 6);
  EXPECT_NEAR(placement.seconds, 3, 1e-12);
  EXPECT_NEAR(placement.lower_bound(), 3, 0.05);
}

TEST(Latency, DividesBatchesAsWellAsAnyDivision) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 300; ++i) {
    const Problem problem = random_problem({.segments = 1, .processors = 3}, random);
    const int rows = 2 + static_cast<int>(random() % 6);
    const auto seconds_of = [&](int p, int share) {
      const double overhead = problem.processors[static_cast<std::size_t>(p)].run_overhead;
      return share == 0 ? 0 : overhead + (problem.time(0, p) - overhead) * share / rows;
    };
    double best = kNever;
    for (int a = 0; a <= rows; ++a) {
      for (int b = 0; a + b <= rows; ++b)
        best = std::min(best, std::max({seconds_of(0, a), seconds_of(1, b), seconds_of(2, rows - a - b)}));
    }
    EXPECT_NEAR(place_for_latency(problem, rows).seconds, best, 1e-9 * best);
  }
}

TEST(Latency, RefusesALimitBelowWhatIsPossible) {
  try {
    place_for_latency(two_towers(5, 3), 0, 4.0);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInfeasible);
  }
}

}  // namespace
}  // namespace mpq::placing
