#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dequantized_models.h"

namespace mpq::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::node_texts;
using testing::numbers;

class Dequantize : public testing::DequantizedModels {};

std::vector<std::string> tensors(const Model& model) {
  std::vector<std::string> names;
  for (const auto& tensor : model.impl().proto.graph().initializer()) names.push_back(tensor.name());
  return names;
}

TEST_F(Dequantize, TakesOutAFullQdqConvolutionAndPutsItsActivationFunctionBack) {
  const Dequantized floats = from(R"(
      g (float[1,2,4,4] x) => (float[1,2,4,4] y)
      <float s = {0.5}, float t = {0.25}, uint8 z = {128}, uint8 low = {0}, int8[2,2,1,1] w_quantized = {2, -4, 6, 8},
       float[2] w_scale = {0.5, 0.25}, int8[2] w_zero = {0, 1}, int32[2] b = {8, -8}, float[2] b_scale = {0.25, 0.125}> {
        xq = QuantizeLinear(x, s, z)
        xd = DequantizeLinear(xq, s, z)
        wd = DequantizeLinear<axis = 0>(w_quantized, w_scale, w_zero)
        bd = DequantizeLinear<axis = 0>(b, b_scale)
        c = Conv(xd, wd, bd)
        cq = QuantizeLinear(c, t, low)
        cd = DequantizeLinear(cq, t, low)
        r = MaxPool<kernel_shape = [1, 1]>(cd)
        rq = QuantizeLinear(r, t, low)
        y = DequantizeLinear(rq, t, low)
      })");
  EXPECT_EQ(floats.weights, 2);
  EXPECT_EQ(floats.activations, 3);
  EXPECT_THAT(node_texts(floats.model),
              ElementsAre("c = Conv(x, w, b_2)", "cd = Clip(c, cd_min, cd_max)", "y = MaxPool(cd)"));
  EXPECT_THAT(numbers(floats.model, "w"), ElementsAre(1, -2, 1.25, 1.75));
  EXPECT_THAT(numbers(floats.model, "b_2"), ElementsAre(2, -1));
  EXPECT_THAT(numbers(floats.model, "cd_max"), ElementsAre(63.75));
  EXPECT_THAT(tensors(floats.model), ElementsAre("w", "b_2", "cd_min", "cd_max"));
  ASSERT_EQ(floats.model.layers().size(), 1U);
  EXPECT_EQ(floats.model.layers()[0].dtype, "float32");
  EXPECT_THAT(floats.model.quantized_parts(), IsEmpty());
}

TEST_F(Dequantize, BoundsAreAttributesInOldOpsets) {
  const Dequantized floats = from(R"(
      g (float[2,4] x) => (float[2,4] y) <float s = {0.5}, int8 low = {-128}> {
        a = Add(x, x)
        q = QuantizeLinear(a, s, low)
        y = DequantizeLinear(q, s, low)
      })",
                                  10);
  ASSERT_THAT(node_texts(floats.model), ElementsAre("a = Add(x, x)", "y = Clip(a)"));
  EXPECT_EQ(floats.model.impl().proto.graph().node(1).attribute(1).f(), 127.5F);
}

TEST_F(Dequantize, ReadsBlocksAndTypesOfFewBits) {
  // Two numbers per byte, the first of them in the lower half: w is 1 -2 3 -4 5 -6 7 -8, z is 1 0 0 -1.
  const Dequantized floats = from(R"(
      g (float[2,4] x) => (float[2,2] y)
      <int4[4,2] w = {225, 195, 165, 135}, float[2,2] s = {1, 10, 0.5, 0.25}, int4[2,2] z = {1, 240}> {
        d = DequantizeLinear<axis = 0, block_size = 2>(w, s, z)
        y = MatMul(x, d)
      })",
                                  21);
  EXPECT_THAT(numbers(floats.model, "w_2"), ElementsAre(0, -20, 2, -40, 2.5, -1.25, 3.5, -1.75));
}

TEST_F(Dequantize, RoundedFloatWeightsAreJustRead) {
  const Dequantized floats = from(R"(
      g (float[2,4] x) => (float[2,2] y) <float[4,2] w = {1, 2, 3, 4, 5, 6, 7, 8}, float s = {0.5}, int8 z = {0}> {
        q = QuantizeLinear(w, s, z)
        d = DequantizeLinear(q, s, z)
        y = MatMul(x, d)
      })");
  EXPECT_THAT(node_texts(floats.model), ElementsAre("y = MatMul(x, w)"));
  EXPECT_THAT(tensors(floats.model), ElementsAre("w"));
}

TEST_F(Dequantize, SharedWeightsStaySharedAlsoInBodies) {
  const Dequantized floats = from(R"(
      g (float[2,2] x, bool c) => (float[2,2] y) <int8[2,2] w = {1, 2, 3, 4}, float s = {0.5}> {
        d = DequantizeLinear(w, s)
        e = DequantizeLinear(w, s)
        a = MatMul(x, d)
        b = MatMul(a, e)
        aq = QuantizeLinear(b, s)
        ad = DequantizeLinear(aq, s)
        y = If(c) <then_branch = t () => (float[2,2] m) { m = MatMul(ad, d) },
                   else_branch = f () => (float[2,2] n) { n = Identity(ad) }>
      })");
  EXPECT_THAT(tensors(floats.model), ElementsAre("w_2", "ad_min", "ad_max"));
  EXPECT_THAT(node_texts(floats.model),
              ElementsAre("a = MatMul(x, w_2)", "b = MatMul(a, w_2)", "ad = Clip(b, ad_min, ad_max)", "y = If(c)"));
  const auto& body = floats.model.impl().proto.graph().node(3).attribute(0).g();
  EXPECT_EQ(body.node(0).input(1), "w_2");
}

TEST_F(Dequantize, ABodyMayRoundAgainWhatWasRoundedOutside) {
  const Dequantized floats = from(R"(
      g (float[2,2] x, bool c) => (float[2,2] y) <float s = {0.5}, uint8 z = {3}> {
        q = QuantizeLinear(x, s, z)
        d = DequantizeLinear(q, s, z)
        y = If(c) <then_branch = t () => (float[2,2] m) {
                     r = QuantizeLinear(d, s, z)
                     e = DequantizeLinear(r, s, z)
                     m = Relu(e)
                   },
                   else_branch = f () => (float[2,2] n) { n = Identity(d) }>
      })");
  EXPECT_EQ(floats.activations, 2);
  const auto& node = floats.model.impl().proto.graph().node(0);
  ASSERT_EQ(node.op_type(), "If");
  ASSERT_EQ(node.attribute(0).g().node_size(), 1);
  EXPECT_EQ(node.attribute(0).g().node(0).input(0), "x");
}

TEST_F(Dequantize, LeavesWhatDoesNotComeFromItsOwnRounding) {
  const std::string other_scale = R"(
      g (float[2,2] x) => (float[2,2] y) <float s = {0.5}, float t = {0.25}, uint8 z = {0}> {
        q = QuantizeLinear(x, s, z)
        y = DequantizeLinear(q, t, z)
      })";
  const std::string given = R"(
      g (uint8[2,2] x) => (float[2,2] y) <float s = {0.5}> { y = DequantizeLinear(x, s) })";
  const std::string chosen_by_caller = R"(
      g (float[2,2] x, int8[2,2] w) => (float[2,2] y) <int8[2,2] w = {1, 2, 3, 4}, float s = {0.5}> {
        d = DequantizeLinear(w, s)
        y = MatMul(x, d)
      })";
  for (const std::string& body : {other_scale, given, chosen_by_caller}) {
    const Dequantized same = from(body);
    EXPECT_EQ(same.weights + same.activations, 0) << body;
    EXPECT_EQ(same.model.quantized_parts().empty(), false);
  }
}

TEST_F(Dequantize, ARoundingThatOthersReadStays) {
  const Dequantized floats = from(R"(
      g (float[2,2] x) => (float[2,2] y, uint8[2,2] q) <float s = {0.5}, uint8 z = {3}> {
        q = QuantizeLinear(x, s, z)
        d = DequantizeLinear(q, s, z)
        y = Relu(d)
      })");
  EXPECT_THAT(node_texts(floats.model), ElementsAre("q = QuantizeLinear(x, s, z)", "y = Relu(x)"));
}

}  // namespace
}  // namespace mpq::graph
