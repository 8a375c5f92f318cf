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
  WeightRounder rounder(model_, samples_, 1, silent_observer());
  const WeightRounder::Networks networks = rounder.round(requests_, RoundingStyle::kSecondOrder, quant::ScaleFit::kMse);
  for (std::size_t layer = 0; layer < 3; ++layer) {
    for (const RoundedNetwork* network : {&networks.trial, &networks.final}) {
      const quant::LayerRounding* rounding = network->find(layer, kFourBits);
      ASSERT_NE(rounding, nullptr);
      EXPECT_EQ(rounding->numbers.values.size(), model_.weight(layer).size());
      EXPECT_LE(rounding->chosen_error, rounding->nearest_error);
    }
    EXPECT_EQ(networks.trial.find(layer, kFourBits)->method, networks.final.find(layer, kFourBits)->method);
  }
  EXPECT_EQ(networks.final.find(0, {3, "grid", 0}), nullptr);
  EXPECT_EQ(rounder.corrected_bias(0, *networks.final.find(0, kFourBits)).first, "");
}

TEST_F(WeightRounderTest, ThreadsDoNotMatter) {
  for (const bool sequential : {false, true}) {
    WeightRounder one(model_, samples_, 1, silent_observer());
    WeightRounder four(model_, samples_, 4, silent_observer());
    const RoundingStyle style = sequential ? RoundingStyle::kSequential : RoundingStyle::kSecondOrder;
    const auto first = one.round(requests_, style, quant::ScaleFit::kMse);
    four.round({requests_[2]}, style, quant::ScaleFit::kMse);
    const auto second = four.round(requests_, style, quant::ScaleFit::kMse);
    for (std::size_t layer = 0; layer < 3; ++layer) {
      EXPECT_EQ(first.final.find(layer, kFourBits)->numbers.values,
                second.final.find(layer, kFourBits)->numbers.values);
      EXPECT_EQ(first.trial.find(layer, kFourBits)->numbers.values,
                second.trial.find(layer, kFourBits)->numbers.values);
    }
  }
}

TEST_F(WeightRounderTest, PieceByPieceTheNumbersAreTheSame) {
  const graph::MemoryPlan tight{.pieces = true, .limit_bytes = 1, .piece_bytes = 1, .working_bytes = 1 << 20};
  for (const RoundingStyle style : {RoundingStyle::kSecondOrder, RoundingStyle::kDataFree}) {
    WeightRounder rounder(model_, samples_, 2, silent_observer());
    WeightRounder by_pieces(model_, samples_, 2, silent_observer(), tight);
    const auto whole = rounder.round(requests_, style, quant::ScaleFit::kMse);
    const auto pieces = by_pieces.round(requests_, style, quant::ScaleFit::kMse);
    for (std::size_t layer = 0; layer < 3; ++layer) {
      const auto expected = whole.final.numbers(layer, kFourBits), found = pieces.final.numbers(layer, kFourBits);
      ASSERT_TRUE(found.has_value());
      EXPECT_EQ(found->values, expected->values);
      EXPECT_EQ(found->scales, expected->scales);
      EXPECT_EQ(pieces.final.find(layer, kFourBits)->method, whole.final.find(layer, kFourBits)->method);
      EXPECT_TRUE(pieces.final.find(layer, kFourBits)->numbers.values.empty());  // they are on disk
    }
  }
}

TEST_F(WeightRounderTest, StatisticsThatDoNotFitAreNotTaken) {
  graph::MemoryPlan tight{.pieces = true, .limit_bytes = 1, .piece_bytes = 1};
  tight.working_bytes = 100 * 24 * 24 + 24 * 24 * 24;  // enough for layers of 24 inputs, not for the first one's 32
  WeightRounder rounder(model_, samples_, 1, silent_observer(), tight);
  const auto networks = rounder.round(requests_, RoundingStyle::kSecondOrder, quant::ScaleFit::kMse);
  EXPECT_FALSE(networks.final.numbers(0, kFourBits).has_value());
  EXPECT_TRUE(networks.final.numbers(1, kFourBits).has_value());
}

TEST_F(WeightRounderTest, DataFreeRoundingNeedsNoTrial) {
  WeightRounder rounder(model_, samples_, 1, silent_observer());
  const WeightRounder::Networks networks = rounder.round(requests_, RoundingStyle::kDataFree, quant::ScaleFit::kMse);
  EXPECT_TRUE(networks.trial.empty());
  for (std::size_t layer = 0; layer < 3; ++layer) {
    const quant::LayerRounding* rounding = networks.final.find(layer, kFourBits);
    ASSERT_NE(rounding, nullptr);
    EXPECT_TRUE(rounding->method.data_free);
    EXPECT_EQ(rounding->numbers.values.size(), model_.weight(layer).size());
  }
}

TEST_F(WeightRounderTest, MadeUpTokensSayNothingOfTheLayersBehindThem) {
  const Model tokens = testing_models::load(testing_models::parse(
      R"(<ir_version: 8, opset_import: ["" : 13]> g (int64[1,6] ids) => (float[1,6,8] y) {
        x = Gather(table, ids)
        y = MatMul(x, w)
      })",
      {{"table", {40, 16}}, {"w", {16, 8}}}));
  const Samples ids = Samples::synthetic(tokens, 8, 3);
  for (const bool real : {false, true}) {
    WeightRounder rounder(real ? model_ : tokens, real ? samples_ : ids, 1, silent_observer());
    const auto networks = rounder.round({{real ? 0U : 1U, kFourBits}}, RoundingStyle::kDataFree, quant::ScaleFit::kMse);
    const quant::LayerRounding* rounding = networks.final.find(real ? 0 : 1, kFourBits);
    ASSERT_NE(rounding, nullptr);
    EXPECT_DOUBLE_EQ(rounding->method.trust, real ? .1 : 0);
  }
}

TEST_F(WeightRounderTest, SequentialLayersSeeTheLayersBefore) {
  WeightRounder rounder(model_, samples_, 1, silent_observer());
  const Candidate two_bits{2, "grid", 0};
  const std::vector<RoundingRequest> requests{{0, two_bits}, {1, two_bits}, {2, two_bits}};
  const auto plain = rounder.round(requests, RoundingStyle::kSecondOrder, quant::ScaleFit::kMse);
  const auto sequential = rounder.round(requests, RoundingStyle::kSequential, quant::ScaleFit::kMse);
  EXPECT_EQ(plain.final.find(0, two_bits)->numbers.values, sequential.final.find(0, two_bits)->numbers.values);
  EXPECT_NE(plain.final.find(2, two_bits)->numbers.values, sequential.final.find(2, two_bits)->numbers.values);
}

TEST_F(WeightRounderTest, TheTrialDoesNotSeeTheHeldOutSamples) {
  std::vector<Feed> feeds, spoiled;
  const Samples others = Samples::synthetic(model_, 24, 4);
  for (std::size_t i = 0; i < samples_.size(); ++i) {
    feeds.push_back(samples_[i]);
    spoiled.push_back(i % 2 == 1 ? others[i] : samples_[i]);
  }
  EXPECT_EQ(held_out_of(samples_).size(), samples_.size() / 2);
  const Samples same(feeds, samples_.facts()), changed(spoiled, samples_.facts());
  for (const bool sequential : {false, true}) {
    WeightRounder one(model_, same, 1, silent_observer()), other(model_, changed, 1, silent_observer());
    const RoundingStyle style = sequential ? RoundingStyle::kSequential : RoundingStyle::kSecondOrder;
    const auto first = one.round(requests_, style, quant::ScaleFit::kMse);
    const auto second = other.round(requests_, style, quant::ScaleFit::kMse);
    const quant::LayerRounding &a = *first.trial.find(0, kFourBits), &b = *second.trial.find(0, kFourBits);
    if (a.method == b.method) {
      EXPECT_EQ(a.numbers.values, b.numbers.values);
    }
  }
}

}  // namespace
}  // namespace mpq::calibrate
