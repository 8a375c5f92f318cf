#include "calibrate/weight_rounder.h"

#include <gtest/gtest.h>

#include "../analyze/fixtures.h"

namespace mpq::calibrate {
namespace {

const Candidate kFourBits{4, "grid", 0};

class WeightRounderTest : public ::testing::Test {
 protected:
  Model model_ = testing_models::load(testing_models::residual_mlp());
  Samples samples_ = Samples::synthetic(model_, 24, 3);
  std::vector<RoundingRequest> requests_{{0, kFourBits}, {1, kFourBits}, {2, kFourBits}};
};

TEST_F(WeightRounderTest, RoundsEveryLayerItCanReach) {
  WeightRounder rounder(model_, samples_, false, 1, silent_observer());
  EXPECT_EQ(rounder.find(0, kFourBits), nullptr);
  rounder.round(requests_, quant::ScaleFit::kMse);
  for (std::size_t layer = 0; layer < 3; ++layer) {
    const quant::LayerRounding* rounding = rounder.find(layer, kFourBits);
    ASSERT_NE(rounding, nullptr);
    EXPECT_EQ(rounding->numbers.values.size(), model_.weight(layer).size());
    EXPECT_LE(rounding->chosen_error, rounding->nearest_error);
  }
  EXPECT_EQ(rounder.find(0, {3, "grid", 0}), nullptr);
  EXPECT_EQ(rounder.corrected_bias(0, kFourBits).first, "");
}

TEST_F(WeightRounderTest, ThreadsDoNotMatter) {
  for (const bool sequential : {false, true}) {
    WeightRounder one(model_, samples_, sequential, 1, silent_observer());
    WeightRounder four(model_, samples_, sequential, 4, silent_observer());
    one.round(requests_, quant::ScaleFit::kMse);
    four.round({requests_[2]}, quant::ScaleFit::kMse);
    four.round(requests_, quant::ScaleFit::kMse);
    for (std::size_t layer = 0; layer < 3; ++layer) {
      EXPECT_EQ(one.find(layer, kFourBits)->numbers.values, four.find(layer, kFourBits)->numbers.values);
    }
  }
}

TEST_F(WeightRounderTest, SequentialLayersSeeTheLayersBefore) {
  WeightRounder plain(model_, samples_, false, 1, silent_observer());
  WeightRounder sequential(model_, samples_, true, 1, silent_observer());
  const Candidate two_bits{2, "grid", 0};
  const std::vector<RoundingRequest> requests{{0, two_bits}, {1, two_bits}, {2, two_bits}};
  plain.round(requests, quant::ScaleFit::kMse);
  sequential.round(requests, quant::ScaleFit::kMse);
  EXPECT_EQ(plain.find(0, two_bits)->numbers.values, sequential.find(0, two_bits)->numbers.values);
  EXPECT_NE(plain.find(2, two_bits)->numbers.values, sequential.find(2, two_bits)->numbers.values);
}

}  // namespace
}  // namespace mpq::calibrate
