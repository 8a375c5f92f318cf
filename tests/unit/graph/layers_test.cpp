#include "graph/layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parsed_model.h"

namespace mpq::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::layers_of;
using testing::model_of;
using testing::parse_graph;

struct RoleCase {
  const char* name;
  const char* body;
  std::vector<int> channel_axes;
  int block_axis;
};

class Roles : public ::testing::TestWithParam<RoleCase> {};

TEST_P(Roles, AreInTheAxesOfTheStoredTensor) {
  const auto layers = layers_of(GetParam().body);
  ASSERT_EQ(layers.size(), 1u);
  EXPECT_TRUE(layers[0].quantizable()) << layers[0].skip_reason;
  EXPECT_EQ(layers[0].weight, "w");
  EXPECT_EQ(layers[0].channel_axes, GetParam().channel_axes);
  EXPECT_EQ(layers[0].block_axis, GetParam().block_axis);
}

const RoleCase kRoleCases[] = {
    {"Conv", "g (float[1,8,9,9] x) => (float[1,4,7,7] y) <float[4,8,3,3] w = {0}> { y = Conv(x, w) }", {0}, -1},
    {"PointwiseConv",
     "g (float[1,32,9,9] x) => (float[1,8,9,9] y) <float[8,32,1,1] w = {0}> { y = Conv(x, w) }",
     {0},
     1},
    {"PointwiseConvWithGroups",
     "g (float[1,64,9,9] x) => (float[1,8,9,9] y) <float[8,32,1,1] w = {0}> { y = Conv<group = 2>(x, w) }",
     {0},
     -1},
    {"ConvTranspose",
     "g (float[1,4,9,9] x) => (float[] y) <float[4,8,3,3] w = {0}> { y = ConvTranspose(x, w) }",
     {1},
     -1},
    {"ConvTransposeWithGroups",
     "g (float[1,32,9,9] x) => (float[] y) <float[32,1,3,3] w = {0}> { y = ConvTranspose<group = 32>(x, w) }",
     {0},
     -1},
    {"Gemm", "g (float[2,32] x) => (float[2,8] y) <float[32,8] w = {0}> { y = Gemm(x, w) }", {1}, 0},
    {"GemmTransposed",
     "g (float[2,32] x) => (float[2,8] y) <float[8,32] w = {0}> { y = Gemm<transB = 1>(x, w) }",
     {0},
     1},
    {"GemmLeft", "g (float[32,2] x) => (float[8,2] y) <float[8,32] w = {0}> { y = Gemm(w, x) }", {0}, 1},
    {"GemmLeftTransposed",
     "g (float[32,2] x) => (float[8,2] y) <float[32,8] w = {0}> { y = Gemm<transA = 1>(w, x) }",
     {1},
     0},
    {"MatMul", "g (float[2,32] x) => (float[2,8] y) <float[32,8] w = {0}> { y = MatMul(x, w) }", {1}, 0},
    {"MatMulLeft", "g (float[32,2] x) => (float[8,2] y) <float[8,32] w = {0}> { y = MatMul(w, x) }", {0}, 1},
    {"MatMulBatched",
     "g (float[3,2,32] x) => (float[3,2,8] y) <float[3,32,8] w = {0}> { y = MatMul(x, w) }",
     {0, 2},
     1},
    {"Gather", "g (int64[5] i) => (float[5,32] y) <float[9,32] w = {0}> { y = Gather(w, i) }", {0}, 1},
    {"GatherColumns",
     "g (int64[5] i) => (float[32,5] y) <float[32,9] w = {0}> { y = Gather<axis = -1>(w, i) }",
     {1},
     0},
    {"Lstm",
     "g (float[5,1,16] x, float[1,32,8] r) => (float[] y) <float[1,32,16] w = {0}> "
     "{ y, h, c = LSTM<hidden_size = 8>(x, w, r) }",
     {0, 1},
     2},
    {"Einsum",
     "g (float[2,3,32] x) => (float[] y) <float[4,32,8] w = {0}> { y = Einsum<equation = \"bsi, hio -> bsho\">(x, w) }",
     {0, 2},
     1},
    {"FusedMatMul",
     "g (float[2,32] x) => (float[2,8] y) <float[8,32] w = {0}> { y = com.microsoft.FusedMatMul<transB = 1>(x, w) }",
     {0},
     1},
    {"ThroughTranspose",
     "g (float[2,32] x) => (float[2,8] y) <float[8,32] w = {0}> { t = Transpose<perm = [1, 0]>(w) y = MatMul(x, t) }",
     {0},
     1},
    {"ThroughCast",
     "g (float[2,32] x) => (float[2,8] y) <float16[32,8] w = {0}> { t = Cast<to = 1>(w) u = Identity(t) y = MatMul(x, "
     "u) }",
     {1},
     0},
    {"ThroughFlatten",
     "g (float[2,32] x) => (float[2,8] y) <float[8,32,1,1] w = {0}> { t = Flatten(w) y = Gemm<transB = 1>(x, t) }",
     {0},
     1},
    {"ThroughMergingReshape",
     "g (float[2,36] x) => (float[2,8] y) <float[8,4,9] w = {0}, int64[2] s = {0, -1}> "
     "{ t = Reshape(w, s) y = Gemm<transB = 1>(x, t) }",
     {0},
     -1},
    {"ThroughUnsqueeze",
     "g (float[1,32,9] x) => (float[] y) <float[8,32] w = {0}, int64[1] a = {2}> { t = Unsqueeze(w, a) y = Conv(x, t) "
     "}",
     {0},
     1},
    {"ThroughSplittingReshape",
     "g (float[1,8,9,9] x) => (float[] y) <float[4,72] w = {0}, int64[4] s = {4, 8, 3, 3}> "
     "{ t = Reshape(w, s) y = Conv(x, t) }",
     {0},
     -1},
    {"ThroughWeightNormalisation",
     "g (float[2,32] x) => (float[2,8] y) <float[8,32] w = {0}, float[8,1] k = {1,2,3,4,5,6,7,8}> "
     "{ n = ReduceL2<axes = [1]>(w) f = Div(k, n) v = Mul(w, f) y = Gemm<transB = 1>(x, v) }",
     {0},
     -1},
    {"OneOfAStack",
     "g (float[2,32] x) => (float[2,8] y) <float[3,32,8] w = {0}, int64 i = {1}> { t = Gather(w, i) y = MatMul(x, t) }",
     {0, 2},
     1},
    {"OneColumn", "g (float[2,256] x) => (float[2,1] y) <float[256,1] w = {0}> { y = MatMul(x, w) }", {1}, 0},
    {"OneColumnTable", "g (int64[5] i) => (float[5,1] y) <float[256,1] w = {0}> { y = Gather(w, i) }", {1}, 0},
};

INSTANTIATE_TEST_SUITE_P(Operators, Roles, ::testing::ValuesIn(kRoleCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(FindLayers, RecurrentWeightsBehindSlicesAndConcatKeepTheirAxes) {
  // PyTorch's gate order is not ONNX's: exporters cut the stored matrix apart and put it together again.
  const auto layers = layers_of(R"(
      g (float[5,1,16] x) => (float[] y)
      <float[32,16] wi = {0}, float[32,8] wh = {0}, int64[1] a = {0}, int64[1] b = {16}, int64[1] c = {32},
       int64[1] zero = {0}> {
        i0 = Slice(wi, b, c, zero) i1 = Slice(wi, a, b, zero) i2 = Concat<axis = 0>(i0, i1) i3 = Unsqueeze(i2, zero)
        h0 = Slice(wh, b, c, zero) h1 = Slice(wh, a, b, zero) h2 = Concat<axis = 0>(h0, h1) h3 = Unsqueeze(h2, zero)
        [lstm] y = LSTM<hidden_size = 8>(x, i3, h3)
      })");
  ASSERT_EQ(layers.size(), 2u);
  EXPECT_EQ(layers[0].name, "lstm.W");
  EXPECT_EQ(layers[1].name, "lstm.R");
  for (const Layer& layer : layers) {
    EXPECT_EQ(layer.uses.size(), 1u);  // two paths, one use
    EXPECT_THAT(layer.channel_axes, ElementsAre(0));
    EXPECT_EQ(layer.block_axis, 1);
  }
}

TEST(FindLayers, SharedWeightIsOneLayerWithAllItsUses) {
  const auto layers = layers_of(R"(
      g (int64[5] i) => (float[] y) <float[16,32] w = {0}> {
        [embed] e = Gather(w, i)
        t = Transpose(w)
        [head] y = MatMul(e, t)
      })");
  ASSERT_EQ(layers.size(), 1u);
  EXPECT_EQ(layers[0].name, "embed");
  EXPECT_EQ(layers[0].op, "Gather");
  ASSERT_EQ(layers[0].uses.size(), 2u);
  EXPECT_EQ(layers[0].uses[0].input, 0);
  EXPECT_EQ(layers[0].uses[1].node, "head");
  EXPECT_EQ(layers[0].uses[1].input, 1);
  EXPECT_THAT(layers[0].channel_axes, ElementsAre(0));
  EXPECT_EQ(layers[0].block_axis, 1);
}

TEST(FindLayers, ConstantNodesAndBodiesAreSearchedAtAnyDepth) {
  const Model model = model_of(R"(
      g (bool c, float[2,16] x) => (float[] y) {
        v = Constant<value = float[16,16] {0}>()
        y = If (c) <
          then_branch = t () => (float[] ty) <float[16,16] w = {0}> { ty = MatMul(x, w) },
          else_branch = e () => (float[] ey) {
            w = Constant<value = float[16,16] {0}>()
            d = If (c) <
              then_branch = tt () => (float[] tty) { tty = MatMul(x, w) },
              else_branch = ee () => (float[] eey) { eey = MatMul(x, v) }
            >
            ey = MatMul(d, w)
          }
        >
      })");
  const auto& layers = model.impl().layers;
  ASSERT_EQ(layers.size(), 3u);
  EXPECT_EQ(layers[0].name, "If_0/then_branch/MatMul_0");
  EXPECT_EQ(layers[0].graph, "If_0/then_branch");
  EXPECT_EQ(layers[1].name, "If_0/else_branch/If_0/then_branch/MatMul_0");
  EXPECT_EQ(layers[1].graph, "If_0/else_branch");
  ASSERT_EQ(layers[1].uses.size(), 2u);
  EXPECT_EQ(layers[1].uses[0].graph, "If_0/else_branch/If_0/then_branch");
  EXPECT_EQ(layers[1].uses[1].graph, "If_0/else_branch");
  EXPECT_EQ(layers[2].weight, "v");
  EXPECT_EQ(layers[2].graph, "");
  EXPECT_EQ(model.impl().sites[0].storage, WeightSite::Storage::kInitializer);
  EXPECT_EQ(model.impl().sites[1].storage, WeightSite::Storage::kConstantNode);
  EXPECT_EQ(model.impl().sites[1].graph, "If_0/else_branch");
}

TEST(FindLayers, StatesThatAreHandedOnUnchangedAreFollowedIntoBodies) {
  const auto layers = layers_of(R"(
      g (float[2,16] x) => (float[2,16] y, float[16,16] same) <int64 n = {3}, bool go = {1},
         float[16,16] w = {0}, float[16,16] renamed = {0}, float[16,16] changed = {0}> {
        y, w_out, same, changed_out = Loop (n, go, x, w, renamed, changed) <
          body = b (int64 i, bool c, float[2,16] s, float[16,16] v, float[16,16] r, float[16,16] u)
              => (bool c_out, float[2,16] s_out, float[16,16] v, float[16,16] r_out, float[16,16] u_out) {
            c_out = Identity (c)
            p = MatMul (s, v)
            q = MatMul (p, r)
            s_out = MatMul (q, u)
            r_out = Identity (r)
            u_out = Neg (u)
          }
        >
      })");
  ASSERT_EQ(layers.size(), 3u);
  EXPECT_EQ(layers[0].weight, "changed");
  EXPECT_THAT(layers[0].skip_reason, HasSubstr("the Loop node"));
  EXPECT_EQ(layers[1].weight, "w");
  EXPECT_EQ(layers[2].weight, "renamed");
  for (const int layer : {1, 2}) {
    const auto& carried = layers[static_cast<std::size_t>(layer)];
    EXPECT_TRUE(carried.quantizable()) << carried.skip_reason;
    ASSERT_EQ(carried.uses.size(), 1u);
    EXPECT_EQ(carried.uses[0].op, "MatMul");
    EXPECT_EQ(carried.uses[0].graph, "Loop_0/body");
    EXPECT_THAT(carried.channel_axes, ElementsAre(1));
    EXPECT_EQ(carried.block_axis, 0);
  }
}

TEST(FindLayers, NamesAreUnique) {
  const auto layers = layers_of(R"(
      g (float[2,16] x) => (float[] y) <float[16,16] a = {0}, float[16,16] b = {0}, float[16,16] c = {0}> {
        p = MatMul(x, a)
        [MatMul_0] q = MatMul(p, b)
        [MatMul_0] y = MatMul(q, c)
      })");
  ASSERT_EQ(layers.size(), 3u);
  EXPECT_EQ(layers[0].name, "MatMul_0_2");
  EXPECT_EQ(layers[1].name, "MatMul_0");
  EXPECT_EQ(layers[2].name, "MatMul_0_3");
}

struct SkipCase {
  const char* name;
  const char* body;
  const char* reason;
};

class Skips : public ::testing::TestWithParam<SkipCase> {};

TEST_P(Skips, AreListedWithTheirReason) {
  const auto layers = layers_of(GetParam().body);
  ASSERT_EQ(layers.size(), 1u);
  EXPECT_FALSE(layers[0].quantizable());
  EXPECT_EQ(layers[0].weight, "w");
  EXPECT_THAT(layers[0].skip_reason, HasSubstr(GetParam().reason));
  EXPECT_EQ(layers[0].skip_reason.back(), '.');
}

const SkipCase kSkipCases[] = {
    {"Small", "g (float[2,4] x) => (float[] y) <float[4,8] w = {0}> { y = MatMul(x, w) }", "It has 32 weights"},
    {"Factor", "g (float[16,8] x) => (float[] y) <float[16,8] w = {0}> { [scale] y = Mul(x, w) }",
     "the Mul node 'scale' reads it"},
    {"Unused", "g (float[2,8] x) => (float[] y) <float[16,8] w = {0}> { y = Relu(x) }", "No node reads it"},
    {"Output", "g (float[2,8] x) => (float[] y, float[8,16] w) <float[8,16] w = {0}> { y = MatMul(x, w) }",
     "itself an output"},
    {"Double", "g (double[2,8] x) => (double[] y) <double[8,16] w = {0}> { y = MatMul(x, w) }", "double precision"},
    {"Flat",
     "g (float[2,8] x) => (float[] y) <float[128] w = {0}, int64[2] s = {8, 16}> { t = Reshape(w, s) y = MatMul(x, t) "
     "}",
     "one flat row"},
    {"Overridable",
     "g (float[2,8] x, float[8,16] w) => (float[] y) <float[8,16] w = {0}, int64 i = {1}> { y = MatMul(x, w) }",
     "default value of the model's input 'w'"},
    {"FakeQuantized",
     "g (float[2,8] x) => (float[] y) <float[8,16] w = {0}, float s = {0.5}> "
     "{ q = QuantizeLinear(w, s) d = DequantizeLinear(q, s) y = MatMul(x, d) }",
     "quantized already"},
    {"Integer",
     "g (float[2,8] x) => (float[] y) <int8[8,16] w = {0}, float s = {0.5}> { d = DequantizeLinear(w, s) y = MatMul(x, "
     "d) }",
     "already quantized: int8"},
};

INSTANTIATE_TEST_SUITE_P(Reasons, Skips, ::testing::ValuesIn(kSkipCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(FindLayers, InitializersListedAsInputsAreConstantsBelowIr4AndWhereAllAreListed) {
  const std::string one = "g (float[2,8] x, float[8,16] w) => (float[] y) <float[8,16] w = {0}> { y = MatMul(x, w) }";
  const std::string some =
      "g (float[2,8] x, float[8,16] w) => (float[] y) <float[8,16] w = {0}, float[16,16] v = {0}> "
      "{ z = MatMul(x, w) y = MatMul(z, v) }";
  const Model old_style = model_of(parse_graph(one, 8));
  ASSERT_EQ(old_style.impl().layers.size(), 1u);
  EXPECT_TRUE(old_style.impl().layers[0].quantizable());
  EXPECT_TRUE(old_style.impl().sites[0].is_graph_input);
  EXPECT_TRUE(model_of(parse_graph(some, 3)).impl().layers[0].quantizable());
  EXPECT_FALSE(model_of(parse_graph(some, 8)).impl().layers[0].quantizable());
}

TEST(FindLayers, WeightsInsideFunctionsAreListed) {
  const Model model = model_of(testing::parse_proto(R"(
      <ir_version: 8, opset_import: ["" : 17, "local" : 1]>
      g (float[2,16] x) => (float[] y) { y = local.dense(x) }
      <domain: "local", opset_import: ["" : 17]>
      dense (a) => (b) { w = Constant<value = float[16,16] {0}>() b = MatMul(a, w) })"));
  ASSERT_EQ(model.impl().layers.size(), 1u);
  EXPECT_THAT(model.impl().layers[0].skip_reason, HasSubstr("model-local function 'dense'"));
}

TEST(FindLayers, WeightsPassedToFunctionsAreFollowedInside) {
  const Model model = model_of(testing::parse_proto(R"(
      <ir_version: 8, opset_import: ["" : 17, "local" : 1]>
      g (float[2,32] x) => (float[2,16] y) <float[16,32] w = {0}, float[16] b = {0}, float[16,16] s = {0}> {
        z = local.block(x, w, b)
        [scaled] v = local.scale(z, s)
        y = Relu(v)
      }
      <domain: "local", opset_import: ["" : 17]>
      linear (x, w, b) => (y) { t = Transpose<perm = [1, 0]>(w) m = MatMul(x, t) y = Add(m, b) }
      <domain: "local", opset_import: ["" : 17, "local" : 1]>
      block (x, w, b) => (y) { z = local.linear(x, w, b) y = Relu(z) }
      <domain: "local", opset_import: ["" : 17]>
      scale (x, s) => (y) { y = Mul(x, s) })"));
  const auto& layers = model.impl().layers;
  ASSERT_EQ(layers.size(), 2u);
  EXPECT_EQ(layers[0].name, "block_0");
  EXPECT_EQ(layers[0].op, "block");
  EXPECT_TRUE(layers[0].quantizable());
  EXPECT_THAT(layers[0].channel_axes, ElementsAre(0));
  EXPECT_EQ(layers[0].block_axis, 1);
  EXPECT_THAT(layers[1].skip_reason, HasSubstr("the scale node 'scaled' reads it"));
}

TEST(FindLayers, FunctionsThatCallEachOtherInCirclesEndTheSearch) {
  const Model model = model_of(testing::parse_proto(R"(
      <ir_version: 8, opset_import: ["" : 17, "local" : 1]>
      g (float[2,32] x) => (float[2,16] y) <float[16,32] w = {0}> { y = local.a(x, w) }
      <domain: "local", opset_import: ["" : 17, "local" : 1]>
      a (x, w) => (y) { y = local.b(x, w) }
      <domain: "local", opset_import: ["" : 17, "local" : 1]>
      b (x, w) => (y) { y = local.a(x, w) })"));
  ASSERT_EQ(model.impl().layers.size(), 1u);
  EXPECT_FALSE(model.impl().layers[0].quantizable());
}

TEST(FindLayers, FactorsPerChannelAreNoWeights) {
  const auto layers = layers_of(R"(
      g (float[2,32] x) => (float[2,256] y) <float[256,32] w = {0}, float[256,1] k = {0}> {
        v = Mul(w, k)
        y = Gemm<transB = 1>(x, v)
      })");
  ASSERT_EQ(layers.size(), 2u);
  EXPECT_EQ(layers[1].weight, "w");
  EXPECT_TRUE(layers[1].quantizable());
  EXPECT_EQ(layers[0].weight, "k");
  EXPECT_THAT(layers[0].skip_reason, HasSubstr("the Mul node"));
}

TEST(FindLayers, SmallConstantsAndBiasesAreNoLayers) {
  EXPECT_THAT(layers_of("g (float[2,256] x) => (float[] y) <float[256] b = {0}, float[1,4] s = {0}> "
                        "{ z = Add(x, b) y = Mul(z, b) t = Neg(s) }"),
              IsEmpty());
}

TEST(FindLayers, QuantizedOperatorsAreCountedByName) {
  const Model model = model_of(R"(
      g (float[2,8] x) => (float[] y) <int8[8,16] w = {0}, float s = {0.5}, float[16,16] v = {0}> {
        d = DequantizeLinear(w, s)
        z = MatMul(x, d)
        q = QuantizeLinear(z, s)
        r = DequantizeLinear(q, s)
        y = MatMul(r, v)
      })");
  EXPECT_THAT(model.impl().quantized_parts, ElementsAre("DequantizeLinear x2", "QuantizeLinear x1"));
  ASSERT_EQ(model.impl().layers.size(), 2u);
  EXPECT_FALSE(model.impl().layers[0].quantizable());
  EXPECT_TRUE(model.impl().layers[1].quantizable());
}

}  // namespace
}  // namespace mpq::graph
