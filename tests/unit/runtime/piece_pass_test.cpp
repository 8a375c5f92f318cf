#include "runtime/piece_pass.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "../analyze/fixtures.h"
#include "runtime/sampled_network.h"

namespace mpq::runtime {
namespace {

using testing_models::gaussian_samples;

Tensor numbers(std::vector<float> values) {
  Tensor tensor(DType::kFloat32, {static_cast<std::int64_t>(values.size())});
  std::copy(values.begin(), values.end(), tensor.as_mutable<float>().begin());
  return tensor;
}

TEST(CrossingValues, ComeBackFromMemoryAndFromDisk) {
  CrossingValues values(2, 8);  // two numbers fit
  values.put(0, "a", numbers({1, 2}));
  values.put(0, "b", numbers({3, 4, 5}));
  values.put(1, "a", numbers({6}));
  EXPECT_THAT(values.get(0, "a").as<float>(), ::testing::ElementsAre(1, 2));
  EXPECT_THAT(values.get(0, "b").as<float>(), ::testing::ElementsAre(3, 4, 5));
  EXPECT_THAT(values.get(0, "b").as<float>(), ::testing::ElementsAre(3, 4, 5));
  EXPECT_THAT(values.get(1, "a").as<float>(), ::testing::ElementsAre(6));
  EXPECT_FALSE(values.has(1, "b"));
  values.drop(0, "a");
  EXPECT_FALSE(values.has(0, "a"));
  EXPECT_EQ(values.get(0, "a").size(), 0);
}

class PiecePassTest : public ::testing::Test {
 protected:
  PiecePass pass(bool keeps_all = false) {
    std::vector<const Feed*> feeds;
    for (std::size_t i = 0; i < samples_.size(); ++i) feeds.push_back(&samples_[i]);
    return {form_, pieces_, feeds, {.threads = 2, .crossing_bytes = 100, .keeps_all = keeps_all}, silent_observer()};
  }

  Model model_ = testing_models::load(testing_models::residual_mlp());
  Samples samples_ = gaussian_samples("x", {2, 32}, 5);
  graph::RunForm form_ = graph::run_form(model_);
  std::vector<graph::Piece> pieces_ = graph::pieces_of(form_, {"y"}, 1);
};

void expect_same(const Tensor& a, const Tensor& b) {
  ASSERT_EQ(a.shape(), b.shape());
  for (std::size_t i = 0; i < a.as<float>().size(); ++i) EXPECT_NEAR(a.as<float>()[i], b.as<float>()[i], 1e-5);
}

TEST_F(PiecePassTest, ComputesWhatTheNetworkComputes) {
  const Session whole(graph::with_outputs(form_, {"y", "r1"}), *form_.store);
  ASSERT_EQ(pieces_.size(), 3u);
  PiecePass by_pieces = pass();
  by_pieces.advance();
  for (std::size_t s = 0; s < samples_.size(); ++s)
    expect_same(by_pieces.value(s, "r1"), whole.run(samples_[s], {"r1"})[0]);
  while (!by_pieces.done()) by_pieces.advance();
  for (std::size_t s = 0; s < samples_.size(); ++s)
    expect_same(by_pieces.value(s, "y"), whole.run(samples_[s], {"y"})[0]);
  EXPECT_EQ(by_pieces.value(0, "r1").size(), 0);  // nobody reads it any more
  EXPECT_GT(by_pieces.forward_seconds(), 0);
}

TEST_F(PiecePassTest, KeepsEverythingWhereToldTo) {
  PiecePass by_pieces = pass(true);
  while (!by_pieces.done()) by_pieces.advance();
  EXPECT_EQ(by_pieces.inputs_of(1, 3).count("r1"), 1u);
  EXPECT_GT(by_pieces.value(0, "r1").size(), 0);
}

TEST_F(PiecePassTest, ValuesOfTheNextPieceAreGivenOrComputed) {
  const Session whole(graph::with_outputs(form_, {"h2", "r1"}), *form_.store);
  PiecePass by_pieces = pass();
  by_pieces.advance();
  const PieceValues values(by_pieces, {"r1", "h2"});
  for (std::size_t s = 0; s < samples_.size(); ++s) {
    const Feed feed = values.of(s);
    const std::vector<Tensor> expected = whole.run(samples_[s], {"h2", "r1"});
    expect_same(feed.at("h2"), expected[0]);
    expect_same(feed.at("r1"), expected[1]);
  }
}

TEST_F(PiecePassTest, StopsWhenCancelled) {
  struct Cancelled : Observer {
    bool cancelled() const override { return true; }
  } observer;
  PiecePass by_pieces(form_, pieces_, {&samples_[0]}, {}, observer);
  try {
    by_pieces.advance();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
  }
}

TEST(SampledNetworkTest, GivesTheSameOutputsEitherWay) {
  const Model model = testing_models::load(testing_models::residual_mlp());
  const Samples samples = gaussian_samples("x", {2, 32}, 3);
  const SampledNetwork whole(model, samples, {}, 1, silent_observer());
  const graph::MemoryPlan plan{.pieces = true, .piece_bytes = 1};
  const SampledNetwork pieces(model, samples, plan, 2, silent_observer());
  for (std::size_t s = 0; s < samples.size(); ++s) expect_same(pieces.run(s, {"y"})[0], whole.run(s, {"y"})[0]);
}

}  // namespace
}  // namespace mpq::runtime
