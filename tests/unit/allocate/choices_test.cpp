#include "allocate/choices.h"

#include <gmock/gmock.h>

#include "mpq/error.h"

#include "scores.h"

namespace mpq::knapsack {
namespace {

Sensitivity three_layers() {
  Sensitivity scores =
      example_record({example_scores("a", 80, 1), example_scores("b", 80, 1), example_scores("c", 80, 1)});
  auto& candidates = scores.layers[2].candidates;
  candidates.erase(candidates.begin() + 1);  // c offers no 4 bits
  return scores;
}

TEST(Choices, AllCandidatesAreOpenWithoutOverrides) {
  const auto choices = choices_of(three_layers(), {});
  EXPECT_THAT(choices[0].candidates, testing::ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(choices[2].candidates, testing::ElementsAre(0, 1, 2, 3));
  EXPECT_TRUE(choices[1].open());
}

TEST(Choices, AnOverrideBindsEveryLayerItMatches) {
  const auto choices = choices_of(three_layers(), {{"[ab]", {8, "grid", 0}, ""}});
  EXPECT_THAT(choices[0].candidates, testing::ElementsAre(2));
  EXPECT_FALSE(choices[1].open());
  EXPECT_TRUE(choices[2].open());
}

TEST(Choices, SkippedLayersMayBeKeptButNotQuantized) {
  Sensitivity scores = three_layers();
  Layer skipped;
  skipped.name = "lstm";
  skipped.skip_reason = "It is shared by a node that mpq does not know.";
  scores.skipped = {skipped};
  EXPECT_NO_THROW(choices_of(scores, {{"lstm", {32, "float", 0}, ""}}));
  EXPECT_THROW(choices_of(scores, {{"lstm", {4, "grid", 0}, ""}}), Error);
}

TEST(Choices, UniformSelectionsTakeTheNextWiderWidthWhereOneIsMissing) {
  const Sensitivity scores = three_layers();
  const auto uniforms = uniform_selections(scores, choices_of(scores, {}));
  ASSERT_THAT(uniforms, testing::SizeIs(5));
  EXPECT_EQ(uniforms.front().bits, 32);
  EXPECT_EQ(uniforms[3].bits, 4);
  EXPECT_THAT(uniforms[3].selection, testing::ElementsAre(1, 1, 1));  // index 1 of c is 8 bits
  EXPECT_EQ(uniforms[3].reasons[2], "uniform 4bit; this layer offers 8bit next");
}

TEST(Choices, UniformSelectionsLeaveBlocksToOthers) {
  Sensitivity scores = three_layers();
  scores.layers[0].candidates.insert(scores.layers[0].candidates.begin(), {{4, "grid", 32}, 50, 90, "", 0.01, 0, 4});
  const auto uniforms = uniform_selections(scores, choices_of(scores, {}));
  for (const UniformSelection& uniform : uniforms) EXPECT_NE(uniform.selection[0], 0U);
}

TEST(Choices, UniformSelectionsKeepOverriddenLayers) {
  const Sensitivity scores = three_layers();
  for (const UniformSelection& uniform :
       uniform_selections(scores, choices_of(scores, {{"b", {32, "float", 0}, ""}}))) {
    EXPECT_EQ(uniform.selection[1], 4U);
  }
}

}  // namespace
}  // namespace mpq::knapsack
