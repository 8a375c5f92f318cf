#include "graph/integer_ready.h"

#include <algorithm>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model_files.h"
#include "parsed_model.h"

namespace mpq::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::Pointwise;

class IntegerReadiness : public testing::ModelFiles {
 protected:
  /// `body` is a graph in text form.
  IntegerReady from(const std::string& body, int opset = 17, int ir_version = 8) {
    const std::string head =
        "<ir_version: " + std::to_string(ir_version) + ", opset_import: [\"\" : " + std::to_string(opset) + "]> ";
    auto proto = testing::from_text(head + body);
    testing::fill(*proto.mutable_graph());
    return integer_ready(load(proto));
  }
};

std::vector<std::string> operators(const Model& model) {
  std::vector<std::string> names;
  for (const auto& node : model.impl().proto.graph().node()) names.push_back(node.op_type());
  return names;
}

std::vector<float> numbers(const Model& model, const std::string& name) {
  for (const auto& tensor : model.impl().proto.graph().initializer()) {
    if (tensor.name() != name) continue;
    std::string scratch;
    const auto bytes = raw_bytes(tensor, *model.impl().store, scratch);
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  return {};
}

/// 2 x 64 weights of one tap: large enough to be quantized.
constexpr const char* kNormalised = R"(
    g (float[1,64,3,3] x) => (float[1,2,3,3] y)
    <float[2,64,1,1] w = {0}, float[2] b = {0.5, -1}, float[2] scale = {2, -3}, float[2] shift = {1, 0.25},
     float[2] mean = {0.5, 0}, float[2] variance = {3.99999, 0.24999}> {
      c = Conv(x, w, b)
      n = BatchNormalization<epsilon = 0.00001>(c, scale, shift, mean, variance)
      y = Relu(n)
    })";

TEST_F(IntegerReadiness, AConvolutionTakesInItsNormalisation) {
  const IntegerReady ready = from(kNormalised);
  ASSERT_FALSE(ready.is_original);
  EXPECT_THAT(operators(ready.model), ElementsAre("Conv", "Relu"));
  ASSERT_EQ(ready.folds.size(), 1U);
  const ChannelFold& fold = ready.folds.begin()->second;
  EXPECT_THAT(fold.factors, Pointwise(FloatNear(1e-6F), {1.0F, -6.0F}));
  // (b - mean) * factor + shift
  EXPECT_THAT(numbers(ready.model, fold.bias), Pointwise(FloatNear(1e-6F), {1.0F, 6.25F}));
  const std::vector<float> weight = numbers(ready.model, "w");
  ASSERT_EQ(weight.size(), 128U);
  for (std::size_t i = 0; i < weight.size(); ++i) {
    const float original = static_cast<float>((i * 37 + 11) % 101) / 64.0F - 50 / 64.0F;
    EXPECT_FLOAT_EQ(weight[i], (i < 64 ? 1.0F : -6.0F) * original) << i;
  }
  testing::expect_valid(ready.model.impl().proto);
}

TEST_F(IntegerReadiness, AConvolutionTakesInArithmeticPerChannel) {
  const IntegerReady ready = from(R"(
      g (float[1,64,3,3] x) => (float[1,2,3,3] y)
      <float[2,64,1,1] w = {0}, float[1,2,1,1] m = {2, 4}, float[2,1,1] a = {1, -1}, float[1,2,1,1] d = {0.5, 0.5}> {
        c = Conv(x, w)
        p = Mul(m, c)
        q = Add(p, a)
        r = Div(q, d)
        y = Relu(r)
      })");
  ASSERT_FALSE(ready.is_original);
  EXPECT_THAT(operators(ready.model), ElementsAre("Conv", "Relu"));
  const ChannelFold& fold = ready.folds.begin()->second;
  EXPECT_THAT(fold.factors, ElementsAre(4, 8));
  EXPECT_THAT(numbers(ready.model, fold.bias), ElementsAre(2, -2));
}

TEST_F(IntegerReadiness, WhatOthersReadOrLiesAlongAnotherAxisStays) {
  const std::string read_twice = R"(
      g (float[1,64,3,3] x) => (float[1,2,3,3] y) <float[2,64,1,1] w = {0}, float[1,2,1,1] m = {2, 4}> {
        c = Conv(x, w)
        p = Mul(c, m)
        y = Add(p, c)
      })";
  const std::string other_axis = R"(
      g (float[1,64,2,2] x) => (float[1,2,2,2] y) <float[2,64,1,1] w = {0}, float[2] m = {2, 4}> {
        c = Conv(x, w)
        y = Mul(c, m)
      })";
  const std::string subtracted = R"(
      g (float[1,64,3,3] x) => (float[1,2,3,3] y) <float[2,64,1,1] w = {0}, float[1,2,1,1] m = {2, 4}> {
        c = Conv(x, w)
        y = Sub(m, c)
      })";
  const std::string zero = R"(
      g (float[1,64,3,3] x) => (float[1,2,3,3] y) <float[2,64,1,1] w = {0}, float[1,2,1,1] m = {2, 0}> {
        c = Conv(x, w)
        y = Mul(c, m)
      })";
  for (const std::string& body : {read_twice, other_axis, subtracted, zero})
    EXPECT_TRUE(from(body).is_original) << body;
}

TEST_F(IntegerReadiness, OldOperatorSetsAreRaised) {
  const std::string body = R"(
      g (float[1,64,3,3] x) => (float[1,64] y) <float[64,64,1,1] w = {0}> {
        c = Conv(x, w)
        d = Clip<min = 0.0, max = 6.0>(c)
        p = GlobalAveragePool(d)
        y = Squeeze<axes = [2, 3]>(p)
      })";
  const IntegerReady ready = from(body, 9);
  ASSERT_FALSE(ready.is_original);
  EXPECT_EQ(ready.model.opset(), 13);
  EXPECT_EQ(ready.model.layers()[ready.originals[0]].name, "Conv_0");
  testing::expect_valid(ready.model.impl().proto);
  EXPECT_TRUE(from(body, 9).folds.empty());
}

TEST_F(IntegerReadiness, InitializersThatHadToBeListedAsInputsAreConstants) {
  const IntegerReady ready = from(R"(
      g (float[1,64,3,3] x, float[2,64,1,1] w, float[1,2,1,1] m) => (float[1,2,3,3] y)
      <float[2,64,1,1] w = {0}, float[1,2,1,1] m = {2, 4}> {
        c = Conv(x, w)
        y = Mul(c, m)
      })",
                                  9, 3);
  ASSERT_FALSE(ready.is_original);
  EXPECT_EQ(ready.folds.size(), 1U);
  EXPECT_EQ(ready.model.impl().proto.graph().input_size(), 1);
}

TEST_F(IntegerReadiness, ModelsWithoutProductsOrWithBodiesStay) {
  const std::string looked_up = R"(
      g (int64[4] x) => (float[4,16] y) <float[64,16] w = {0}> { y = Gather(w, x) })";
  EXPECT_TRUE(from(looked_up, 9).is_original);
  const std::string branches = R"(
      g (float[4,16] x, bool c) => (float[4,16] y) <float[16,16] w = {0}> {
        z = MatMul(x, w)
        y = If(c) <then_branch = t () => (float[4,16] a) { a = Identity(z) },
                   else_branch = f () => (float[4,16] b) { b = Relu(z) }>
      })";
  EXPECT_TRUE(from(branches, 11).is_original);
}

}  // namespace
}  // namespace mpq::graph
