#include "latency/latency_budget.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "mpq/error.h"

namespace mpq {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Asked = std::pair<double, std::string>;

/// A machine on which what was predicted takes `slower` times as long, and integer kernels everywhere `int8` times.
struct Machine {
  double slower = 1, int8 = 1;
  std::vector<Asked> asked = {};  ///< seconds and arithmetic of every model written

  WithinLatency run(const std::string& budget, double fastest, const std::string& compute) {
    const WriteWithin write = [&](double seconds, const std::string& way) {
      asked.emplace_back(seconds, way);
      return QuantizedModel(nullptr);
    };
    const auto measure = [&](const QuantizedModel&) {
      LatencyCheck check;
      check.processor = "cpu:0";
      check.noise = 0.02;
      check.predicted_seconds = asked.back().first;
      check.measured_seconds = asked.back().first * slower * (asked.back().second == "int8" ? int8 : 1);
      check.original_seconds = check.profiled_seconds = 0.02;
      return check;
    };
    return write_within_latency(Budget::parse(budget), fastest, compute, write, measure, silent_observer());
  }
};

TEST(WithinLatency, WhatMeetsTheBudgetIsWrittenOnce) {
  Machine machine{1.01};  // within the noise of 2 %
  const LatencyCheck check = machine.run("8ms", 0.004, "int8").check;
  EXPECT_THAT(machine.asked, ElementsAre(Asked(0.008, "int8")));
  EXPECT_TRUE(check.is_met());
  EXPECT_EQ(check.repairs, 0);
  EXPECT_EQ(check.budget, "8ms");
}

TEST(WithinLatency, WhatIsTooSlowIsPlannedAgainForLess) {
  Machine machine{1.25};
  const LatencyCheck check = machine.run("8ms", 0.004, "int8").check;
  ASSERT_EQ(machine.asked.size(), 2u);
  EXPECT_DOUBLE_EQ(machine.asked[1].first, 0.008 / 1.25);
  EXPECT_DOUBLE_EQ(check.measured_seconds, 0.008);
  EXPECT_EQ(check.repairs, 1);
}

TEST(WithinLatency, AutoTakesIntegerKernelsWhenTheBudgetNeedsThem) {
  Machine machine{2, 0.4};
  machine.run("8ms", 0.004, "auto");
  EXPECT_THAT(machine.asked, ElementsAre(Asked(0.008, "auto"), Asked(0.008, "int8")));
}

/// A profile does not know what integer activations save: below what it promises the fastest plan is tried.
TEST(WithinLatency, ABudgetBelowThePredictionsIsTried) {
  Machine machine{0.5};
  EXPECT_TRUE(machine.run("6ms", 0.01, "int8").check.is_met());
  EXPECT_THAT(machine.asked, ElementsAre(Asked(0.01, "int8")));
}

TEST(WithinLatency, SaysWhatIsFeasibleWhenNothingIsFastEnough) {
  Machine machine{2};
  try {
    machine.run("8ms", 0.005, "int8");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInfeasible);
    EXPECT_THAT(error.what(), HasSubstr("feasible: 10ms to 20ms"));
  }
  EXPECT_DOUBLE_EQ(machine.asked.back().first, 0.005) << "the fastest was tried";
}

/// The machine is three times as slow as when the profile was made, for both models.
TEST(LatencyCheck, IsJudgedAtThePaceOfTheProfile) {
  LatencyCheck check;
  check.limit_seconds = 0.008;
  check.measured_seconds = 0.021;
  check.original_seconds = 0.06;
  check.profiled_seconds = 0.02;
  EXPECT_DOUBLE_EQ(check.seconds(), 0.007);
  EXPECT_TRUE(check.is_met());
  check.measured_seconds = 0.027;
  EXPECT_FALSE(check.is_met());
  check.noise = 0.15;
  EXPECT_TRUE(check.is_met());
}

}  // namespace
}  // namespace mpq
