#include "calibrate/layer_inputs.h"

#include <gtest/gtest.h>

#include "../analyze/fixtures.h"
#include "calibrate/bias.h"

namespace mpq::calibrate {
namespace {

using testing_models::load;
using testing_models::parse;

std::optional<LayerInputs> inputs_of(const Model& model, std::size_t layer = 0) {
  return layer_inputs(model, graph::run_form(model), layer);
}

TEST(LayerInputs, ProductWithTheAddBehindIt) {
  const Model model = load(parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[N,32] x) => (float[N,16] y) { h = MatMul(x, w)  s = Add(b, h)  y = Relu(s) })",
                                 {{"w", {32, 16}}, {"b", {16}}}));
  const auto found = inputs_of(model);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->view, quant::MatrixView::columns_first(32, 16));
  ASSERT_EQ(found->uses.size(), 1U);
  EXPECT_EQ(found->uses[0].activation, "x");
  EXPECT_EQ(found->bias, "b");
  EXPECT_EQ(bias_values(graph::run_form(model), "b"), testing_models::gaussians(13, 16, 1));
}

TEST(LayerInputs, ABiasThatOthersReadStaysAlone) {
  const Model shared = load(parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[N,32] x) => (float[N,16] y) { h = MatMul(x, w)  s = Add(h, b)  y = Mul(s, b) })",
                                  {{"w", {32, 16}}, {"b", {16}}}));
  EXPECT_EQ(inputs_of(shared)->bias, "");
  const Model twice_read = load(parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[N,32] x) => (float[N,16] y) { h = MatMul(x, w)  s = Add(h, b)  y = Mul(s, h) })",
                                      {{"w", {32, 16}}, {"b", {16}}}));
  EXPECT_EQ(inputs_of(twice_read)->bias, "");
}

TEST(LayerInputs, ConvolutionsInGroups) {
  const Model model = load(parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[1,8,H,W] x) => (float[1,16,P,Q] y) {
      h = Conv<kernel_shape=[3,3], group=4>(x, w, b)  r = Relu(h)  c = Conv<kernel_shape=[1,1]>(r, v)  y = Add(c, d) })",
                                 {{"w", {16, 2, 3, 3}}, {"b", {16}}, {"v", {16, 16, 1, 1}}, {"d", {1, 16, 1, 1}}}));
  const auto first = inputs_of(model, 0), second = inputs_of(model, 1);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->view, quant::MatrixView::rows_first(4, 4, 18));
  EXPECT_EQ(first->bias, "b");
  EXPECT_EQ(second->uses[0].activation, "r");
  EXPECT_EQ(second->bias, "d");
}

TEST(LayerInputs, GemmAndTransposedWeights) {
  const Model model = load(parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[N,32] x) => (float[N,16] y) { h = Gemm<transB=1>(x, w, b)  t = Transpose(v)  y = MatMul(h, t) })",
                                 {{"w", {24, 32}}, {"b", {24}}, {"v", {16, 24}}}));
  EXPECT_EQ(inputs_of(model, 0)->view, quant::MatrixView::rows_first(1, 24, 32));
  EXPECT_EQ(inputs_of(model, 0)->bias, "b");
  EXPECT_EQ(inputs_of(model, 1)->view, quant::MatrixView::rows_first(1, 16, 24));
  EXPECT_EQ(inputs_of(model, 1)->bias, "");
}

TEST(LayerInputs, TablesAndBatchesHaveNone) {
  const Model table = load(parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (int64[N] i) => (float[N,16] y) { y = Gather(w, i) })",
                                 {{"w", {64, 16}}}));
  EXPECT_FALSE(inputs_of(table));
  const Model batched = load(parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[4,N,16] x) => (float[4,N,16] y) { y = MatMul(x, w) })",
                                   {{"w", {4, 16, 16}}}));
  EXPECT_FALSE(inputs_of(batched));
}

TEST(LayerInputs, RecurrentLayersReadInputsAndStates) {
  const Model model = load(parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[T,N,32] x, float[2,N,16] h) => (float[T,2,N,16] y) {
      y, last = GRU<hidden_size=16, direction="bidirectional">(x, w, r, , , h) })",
                                 {{"w", {2, 48, 32}}, {"r", {2, 48, 16}}}));
  const auto inputs = inputs_of(model, 0), states = inputs_of(model, 1);
  ASSERT_TRUE(inputs && states);
  EXPECT_EQ(inputs->view, quant::MatrixView::rows_first(1, 96, 32));
  EXPECT_EQ(states->view, quant::MatrixView::rows_first(2, 48, 16));
  ASSERT_EQ(states->uses.size(), 2U);
  EXPECT_EQ(states->uses[0].activation, "y");
  EXPECT_TRUE(states->uses[0].last_direction_reversed);
  EXPECT_EQ(states->uses[1].kind, InputUse::Kind::kInitialState);
}

TEST(LayerInputs, RecurrentWeightsWhoseGatesAreBroughtIntoOrder) {
  const Model model = load(parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[T,N,32] x) => (float[T,1,N,16] y)
      <int64[1] zero = {0}, int64[1] one_gate = {16}, int64[1] all = {48}> {
      a = Slice(w, zero, one_gate, zero)  b = Slice(w, one_gate, all, zero)  c = Concat<axis=0>(b, a)
      u = Unsqueeze(c, zero)  y = GRU<hidden_size=16>(x, u, r) })",
                                 {{"w", {48, 32}}, {"r", {1, 48, 16}}}));
  const auto found = inputs_of(model, 0);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->view, quant::MatrixView::rows_first(1, 48, 32));
  EXPECT_EQ(found->uses.size(), 1U);
}

TEST(LayerInputs, TransposedConvolutionsReadPixels) {
  const Model model = load(parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[1,32,H,W] x) => (float[1,6,P,Q] y) { y = ConvTranspose<group=2, strides=[2,2]>(x, w) })",
                                 {{"w", {32, 3, 2, 2}}}));
  const auto found = inputs_of(model);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->view, (quant::MatrixView{2, 12, 16, 192, 1, 12}));
  EXPECT_EQ(found->bias, "");
}

}  // namespace
}  // namespace mpq::calibrate
