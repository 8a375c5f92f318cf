#include "graph/integer_operators.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dequantized_models.h"

namespace mpq::graph {
namespace {

using ::testing::ElementsAre;

class IntegerOperators : public testing::DequantizedModels {};

TEST_F(IntegerOperators, AChainOfIntegersBecomesAChainOfFloats) {
  const Dequantized floats = from(R"(
      g (float[1,2,4,4] x) => (float[1,2,2,2] y)
      <float s = {0.5}, float t = {0.25}, uint8 z = {128}, uint8 low = {0}, int8[2,2,1,1] w_quantized = {2, -4, 6, 8},
       float[2] ws = {0.5, 0.25}, int8[2] wz = {0, 0}, int32[2] b = {8, -8}> {
        xq = QuantizeLinear(x, s, z)
        c = QLinearConv(xq, s, z, w_quantized, ws, wz, t, low, b)
        r = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(c)
        a = com.microsoft.QLinearAdd(r, t, low, r, t, low, t, z)
        y = DequantizeLinear(a, t, z)
      })");
  EXPECT_EQ(floats.weights, 2);
  EXPECT_THAT(testing::node_texts(floats.model),
              ElementsAre("c_floats = Conv(x, w, b_2)", "c_floats_2 = Clip(c_floats, c_floats_2_min, c_floats_2_max)",
                          "r_floats = MaxPool(c_floats_2)", "y = Add(r_floats, r_floats)"));
  EXPECT_THAT(testing::numbers(floats.model, "w"), ElementsAre(1, -2, 1.5, 2));
  EXPECT_THAT(testing::numbers(floats.model, "b_2"), ElementsAre(2, -1));  // 8 * .5 * .5, -8 * .5 * .25
}

TEST_F(IntegerOperators, AProductOfWhatIsRoundedAtEveryRunReadsTheFloats) {
  for (const std::string& order : {std::string("xs, ws"), std::string("ws, xs")}) {
    const Dequantized floats = from(R"(
      g (float[2,2] x) => (float[2,2] y, float[2,2] v)
      <uint8[2,2] w_quantized = {130, 124, 128, 0}, float ws = {0.5}, uint8 wz = {128}> {
        xq, xs, xz = DynamicQuantizeLinear(x)
        i = MatMulInteger(xq, w_quantized, xz, wz)
        f = Cast<to = 1>(i)
        s = Mul()" + order + R"()
        y = Mul(f, s)
        j = MatMulInteger(xq, w_quantized, xz, wz)
        g = Cast<to = 1>(j)
        v = Mul(s, g)
      })");
    EXPECT_EQ(floats.weights, 2);
    EXPECT_EQ(floats.activations, 1);
    EXPECT_THAT(testing::node_texts(floats.model), ElementsAre("y = MatMul(x, w)", "v = MatMul(x, w)"));
    EXPECT_THAT(testing::numbers(floats.model, "w"), ElementsAre(1, -2, 0, -64));
  }
}

TEST_F(IntegerOperators, ScalesThatBelongToAnotherInputAreNoProduct) {
  const Dequantized same = from(R"(
      g (float[2,2] x, float[2,2] z) => (float[2,2] y) <int8[2,2] w = {1, 2, 3, 4}, float ws = {0.5}> {
        xq, xs, xz = DynamicQuantizeLinear(x)
        zq, zs, zz = DynamicQuantizeLinear(z)
        i = MatMulInteger(xq, w, xz)
        f = Cast<to = 1>(i)
        s = Mul(zs, ws)
        y = Mul(f, s)
      })");
  EXPECT_EQ(same.weights + same.activations, 0);
  EXPECT_EQ(same.model.impl().proto.graph().node_size(), 6);
}

TEST_F(IntegerOperators, IntegersThatOthersReadStay) {
  const Dequantized floats = from(R"(
      g (float[2,2] x) => (float[2,2] y, int32[2,2] i) <int8[2,2] w = {1, 2, 3, 4}, float ws = {0.5}> {
        xq, xs, xz = DynamicQuantizeLinear(x)
        i = MatMulInteger(xq, w, xz)
        f = Cast<to = 1>(i)
        s = Mul(xs, ws)
        y = Mul(f, s)
      })");
  EXPECT_THAT(testing::node_texts(floats.model), ElementsAre("xq, xs, xz = DynamicQuantizeLinear(x)",
                                                             "i = MatMulInteger(xq, w, xz)", "y = MatMul(x, w_2)"));
}

TEST_F(IntegerOperators, ATableIsReadBeforeItsRowsAreLookedUp) {
  const Dequantized floats = from(R"(
      g (int64[3] x) => (float[3,2] y) <uint8[2,2] table_quantized = {1, 2, 3, 5}, float s = {0.5}, uint8 z = {1}> {
        q = Gather(table_quantized, x)
        y = DequantizeLinear(q, s, z)
      })");
  EXPECT_THAT(testing::node_texts(floats.model), ElementsAre("y = Gather(table, x)"));
  EXPECT_THAT(testing::numbers(floats.model, "table"), ElementsAre(0, 0.5, 1, 2));
}

TEST_F(IntegerOperators, BodiesAreRewrittenWithinTheirNodes) {
  const Dequantized floats = from(R"(
      g (float[2,2] x, bool c) => (float[2,2] y) <int8[2,2] w_quantized = {1, 2, 3, 4}, float ws = {0.5}> {
        xq, xs, xz = DynamicQuantizeLinear(x)
        s = Mul(xs, ws)
        y = If(c) <then_branch = t () => (float[2,2] m) {
                     i = MatMulInteger(xq, w_quantized, xz)
                     f = Cast<to = 1>(i)
                     m = Mul(f, s)
                   },
                   else_branch = f () => (float[2,2] n) { n = Identity(x) }>
      })");
  ASSERT_THAT(testing::node_texts(floats.model), ElementsAre("y = If(c)"));
  const auto& body = floats.model.impl().proto.graph().node(0).attribute(0).g();
  ASSERT_EQ(body.node_size(), 1);
  EXPECT_EQ(body.node(0).op_type(), "MatMul");
  EXPECT_EQ(body.node(0).input(0), "x");
}

TEST_F(IntegerOperators, TheBiasOfAGemmHasItsFactorInTheScale) {
  const std::string gemm = R"(
      <float t = {0.5}, float c = {0.25}, uint8 z = {3}, int8[2,2] w = {1, 2, 3, 4}, int8 wz = {0}, int32[2] b = {8, -8}> {
        s = Identity(t)
        q = QuantizeLinear(x, s, z)
        r = com.microsoft.QGemm<alpha = 2.0>(q, s, z, w, c, wz, b, c, z)
        y = DequantizeLinear(r, c, z)
      })";
  const Dequantized floats = from("g (float[2,2] x) => (float[2,2] y) " + gemm);
  const auto texts = testing::node_texts(floats.model);
  EXPECT_THAT(texts, ::testing::Contains("b_scale_2 = Mul(b_scale, alpha)"));
  EXPECT_THAT(texts, ::testing::Contains("b_floats = DequantizeLinear(b, b_scale_2)"));
}

TEST_F(IntegerOperators, SoftmaxOfAnotherOperatorSetStays) {
  for (const int meant : {11, 13}) {
    const Dequantized result = from(R"(
      g (float[2,2] x) => (float[2,2] y) <float s = {0.5}, uint8 z = {3}> {
        q = QuantizeLinear(x, s, z)
        r = com.microsoft.QLinearSoftmax<axis = 1, opset = )" +
                                    std::to_string(meant) + R"(>(q, s, z, s, z)
        y = DequantizeLinear(r, s, z)
      })");
    EXPECT_EQ(result.activations, meant == 13 ? 2 : 0);
  }
}

}  // namespace
}  // namespace mpq::graph
