#include "data/input_hints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/guess_shapes.h"
#include "graph/model_impl.h"
#include "models.h"

namespace mpq::data::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

InputHints hints_of(const Model& model, std::size_t input = 0) {
  const graph::ValueTable table(model.impl().proto, true);
  return hints_for(model, table, model.inputs()[input]);
}

InputHints hints_of(const std::string& graph, const std::vector<testing_models::WeightSpec>& weights = {}) {
  return hints_of(model_with(graph, weights));
}

TEST(InputHints, IndicesAreRowsOfTheTable) {
  EXPECT_EQ(hints_of("g (int64[N] ids) => (float[N,4] y) { y = Gather(t, ids) }", {{"t", {10, 4}}}).rows, 10);
  EXPECT_EQ(hints_of("g (int64[N] ids) => (float[10,N] y) { y = Gather<axis = 1>(t, ids) }", {{"t", {10, 4}}}).rows, 4);
  EXPECT_EQ(hints_of("g (int64[N] ids) => (float[10,N] y) { y = Gather<axis = -1>(t, ids) }", {{"t", {10, 4}}}).rows,
            4);
}

TEST(InputHints, TheSmallestOfSeveralTablesCounts) {
  EXPECT_EQ(hints_of("g (int64[N] ids) => (float[N,4] y) { a = Gather(t, ids)  b = Gather(u, ids)  y = Add(a, b) }",
                     {{"t", {10, 4}}, {"u", {7, 4}}})
                .rows,
            7);
}

TEST(InputHints, ElementsAreFollowedThroughNodesThatKeepThem) {
  const std::string graph = R"(g (float[N,6] x) => (float[M,4] y) {
    i = Cast<to = 7>(x)
    flat = Constant<value = int64[1] {-1}>()
    r = Reshape(i, flat)
    twice = Concat<axis = 0>(r, r)
    y = Gather(t, twice)
  })";
  EXPECT_EQ(hints_of(graph, {{"t", {9, 4}}}).rows, 9);
  EXPECT_EQ(hints_of("g (float[N,6] x) => (float[N,6,4] y) { h = Sin(x)  i = Cast<to = 7>(h)  y = Gather(t, i) }",
                     {{"t", {9, 4}}})
                .rows,
            std::nullopt);
}

TEST(InputHints, TablesOfUnknownSizeAllowTheirFirstRow) {
  const Model model = model_with("g (float[A,4] table, int64[N] ids) => (float[N,4] y) { y = Gather(table, ids) }");
  EXPECT_EQ(hints_of(model, 1).rows, 1);
  EXPECT_EQ(hints_of(model, 0).rows, std::nullopt);
}

TEST(InputHints, OneHotTellsItsDepth) {
  EXPECT_EQ(hints_of(R"(g (int64[N] ids) => (float[N,12] y) {
    depth = Constant<value = int64 {12}>()
    values = Constant<value = float[2] {0, 1}>()
    y = OneHot(ids, depth, values)
  })")
                .rows,
            12);
}

TEST(InputHints, ConstantsAnInputIsComparedWith) {
  const InputHints hints = hints_of(R"(g (int64 rate) => (bool y) {
    k = Constant<value = int64 {16000}>()
    y = Equal(rate, k)
  })");
  EXPECT_EQ(hints.compared_with, 16000);
  EXPECT_EQ(hints.rows, std::nullopt);
  EXPECT_EQ(hints_of("g (int32 a) => (bool y) { k = Constant<value = int32 {8}>()  y = Equal(k, a) }").compared_with,
            8);
}

TEST(InputHints, WeightsDemandExtents) {
  EXPECT_THAT(
      hints_of("g (float[N,C,H,W] x) => (float[N,8,A,B] y) { y = Conv<group = 2>(x, w) }", {{"w", {8, 3, 1, 1}}})
          .extents,
      ElementsAre(Pair(1, 6)));
  EXPECT_THAT(
      hints_of("g (float[N,C,H,W] x) => (float[N,5,A,B] y) { y = ConvTranspose(x, w) }", {{"w", {7, 5, 1, 1}}}).extents,
      ElementsAre(Pair(1, 7)));
  EXPECT_THAT(hints_of("g (float[A,B,K] x) => (float[A,B,3] y) { y = MatMul(x, w) }", {{"w", {11, 3}}}).extents,
              ElementsAre(Pair(-1, 11)));
  EXPECT_THAT(hints_of("g (float[N,K] x) => (float[N,4] y) { y = Gemm(x, w) }", {{"w", {6, 4}}}).extents,
              ElementsAre(Pair(1, 6)));
  EXPECT_THAT(hints_of("g (float[N,K] x) => (float[N,4] y) { y = Gemm<transB = 1>(x, w) }", {{"w", {4, 6}}}).extents,
              ElementsAre(Pair(1, 6)));
}

TEST(InputHints, ExtentsAreNotAskedForBehindAnotherShape) {
  EXPECT_THAT(hints_of(R"(g (float[N,K] x) => (float[A,3] y) {
    s = Constant<value = int64[2] {-1, 11}>()
    r = Reshape(x, s)
    y = MatMul(r, w)
  })",
                       {{"w", {11, 3}}})
                  .extents,
              ElementsAre());
}

std::vector<Shapes> guesses(const Model& model) {
  const graph::ValueTable table(model.impl().proto, true);
  std::map<std::string, InputHints> hints;
  for (const ValueInfo& input : model.inputs()) hints[input.name] = hints_for(model, table, input);
  return guess_shapes(model, hints);
}

TEST(GuessShapes, FixedExtentsLeaveOneGuess) {
  const std::vector<Shapes> shapes = guesses(pair_model("4,2"));
  ASSERT_EQ(shapes.size(), 1U);
  EXPECT_THAT(shapes[0].at("x"), ElementsAre(4, 2));
}

TEST(GuessShapes, FreeAxesOfImages) {
  const std::vector<Shapes> planes =
      guesses(model_with("g (float[N,C,H,W] x) => (float[N,8,A,B] y) { y = Conv(x, w) }", {{"w", {8, 1, 3, 3}}}));
  EXPECT_THAT(planes[0].at("x"), ElementsAre(1, 1, 64, 64));
  EXPECT_THAT(guesses(pair_model("N,C,H,W"))[0].at("x"), ElementsAre(1, 3, 64, 64));
  EXPECT_THAT(guesses(pair_model("N,H,W,3"))[0].at("x"), ElementsAre(1, 64, 64, 3));
}

TEST(GuessShapes, ExtentsOfOneSymbolAreEqual) {
  const Model model = model_with(
      "g (float[1,K] a, float[B,K] b) => (float[1,4] y, float[B,K] z) "
      "{ y = MatMul(a, w)  z = Identity(b) }",
      {{"w", {6, 4}}});
  for (const Shapes& shapes : guesses(model)) {
    EXPECT_THAT(shapes.at("a"), ElementsAre(1, 6));
    EXPECT_THAT(shapes.at("b"), ElementsAre(1, 6));
  }
}

}  // namespace
}  // namespace mpq::data::testing
