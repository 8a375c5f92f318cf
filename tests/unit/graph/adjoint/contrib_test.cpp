#include <gtest/gtest.h>

#include "differences.h"
#include "graph/adjoint/write_out.h"

namespace mpq::graph::adjoint {
namespace {

using testing::facts_of;
using testing::gaussians;
using testing::tensor_of;

/// ONNX Runtime's own kernel computes y from h = x * w and from constants a, b, c.
struct Case {
  std::string name;
  Shape input;
  std::string node;
  Shape a = {}, b = {}, c = {};
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

const std::vector<Case> kCases = {
    {"Gelu", {2, 3, 4}, "y = com.microsoft.Gelu(h)"},
    {"BiasGelu", {2, 3, 4}, "y = com.microsoft.BiasGelu(h, a)", {4}},
    {"FastGelu", {2, 3, 4}, "y = com.microsoft.FastGelu(h)"},
    {"FastGeluBias", {2, 3, 4}, "y = com.microsoft.FastGelu(h, a)", {4}},
    {"QuickGelu", {2, 3, 4}, "y = com.microsoft.QuickGelu<alpha = 1.5>(h)"},
    {"SkipLayerNormalization",
     {2, 3, 8},
     "y = com.microsoft.SkipLayerNormalization<epsilon = 0.01>(h, x, a, b, c)",
     {8},
     {8},
     {8}},
    {"SkipLayerNormalizationSum",
     {2, 3, 8},
     "n, , , s = com.microsoft.SkipLayerNormalization<epsilon = 0.01>(h, x, a, b) y = Mul(n, s)",
     {8},
     {8}},
    {"SkipSimplifiedLayerNormalization",
     {2, 3, 8},
     "n, , , s = com.microsoft.SkipSimplifiedLayerNormalization<epsilon = 0.01>(h, x, a) y = Mul(n, s)",
     {8}},
    {"SimplifiedLayerNormalization",
     {2, 3, 8},
     "y = SimplifiedLayerNormalization<axis = -1, epsilon = 0.01>(h, a)",
     {8}},
    {"Attention", {2, 3, 8}, "y = com.microsoft.Attention<num_heads = 2>(h, a, b)", {8, 24}, {24}},
    {"AttentionLengths",
     {2, 3, 8},
     "y = com.microsoft.Attention<num_heads = 2, mask_filter_value = -50.0>(h, a, b, lengths)",
     {8, 24},
     {24}},
    {"AttentionMask",
     {2, 3, 8},
     "y = com.microsoft.Attention<num_heads = 2, scale = 0.3, mask_filter_value = -50.0>(h, a, b, seen)",
     {8, 24},
     {24}},
    {"AttentionCausal",
     {2, 3, 8},
     "y = com.microsoft.Attention<num_heads = 4, unidirectional = 1>(h, a, b)",
     {8, 24},
     {24}},
    {"MultiHeadAttention",
     {2, 3, 8},
     "k = Mul(h, a) v = Add(h, a) y = com.microsoft.MultiHeadAttention<num_heads = 2>(h, k, v, b, , c)",
     {8},
     {24},
     {1, 2, 3, 3}},
    {"FusedMatMul", {2, 3, 4}, "y = com.microsoft.FusedMatMul<transA = 1, transB = 1, alpha = 0.5>(h, a)", {2, 5, 3}},
    {"FusedConv",
     {1, 2, 5, 5},
     R"(y = com.microsoft.FusedConv<pads = [1, 1, 1, 1], activation = "LeakyRelu", activation_params = [0.2]>(h, a, b))",
     {3, 2, 3, 3},
     {3}},
    {"FusedGemm", {3, 4}, R"(y = com.microsoft.FusedGemm<transB = 1, activation = "Tanh">(h, a, b))", {5, 4}, {5}},
};

struct Network {
  RunForm form;
  Feed feed;
  std::vector<float> w;
};

void add_whole(onnx::ModelProto& model, const std::string& name, const Shape& shape, const std::vector<int>& values) {
  onnx::TensorProto& tensor = *model.mutable_graph()->add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::INT32);
  for (const auto extent : shape) tensor.add_dims(extent);
  for (const int value : values) tensor.add_int32_data(value);
}

Network network_of(const Case& c) {
  Network n;
  onnx::ModelProto& model = n.form.model;
  const std::string text = R"(<ir_version: 8, opset_import: ["" : 18, "com.microsoft" : 1]> g (float x) => (float y) )"
                           "{ h = Mul(x, w) " +
                           c.node + " }";
  const auto status = onnx::OnnxParser::Parse(model, text.c_str());
  EXPECT_TRUE(status.IsOK()) << status.ErrorMessage();
  for (auto* info : {model.mutable_graph()->mutable_input(0), model.mutable_graph()->mutable_output(0)})
    info->mutable_type()->mutable_tensor_type()->clear_shape();
  n.w = gaussians(1, count_of(c.input));
  testing::add_floats(model, "w", c.input, n.w);
  std::uint64_t seed = 3;
  for (const auto& [name, shape] : {std::pair{"a", c.a}, std::pair{"b", c.b}, std::pair{"c", c.c}}) {
    if (!shape.empty()) testing::add_floats(model, name, shape, gaussians(seed, count_of(shape)));
    ++seed;
  }
  add_whole(model, "lengths", {2}, {2, 3});
  add_whole(model, "seen", {2, 3}, {1, 1, 0, 1, 0, 1});
  n.feed["x"] = tensor_of(c.input, gaussians(2, count_of(c.input)));
  n.form.index = std::make_shared<RunIndex>(model);
  return n;
}

class ContribTest : public ::testing::TestWithParam<Case> {};

TEST_P(ContribTest, ComputesWhatTheRuntimesOwnKernelDoes) {
  const Network n = network_of(GetParam());
  const RunForm form = written_out(n.form, facts_of(n.form.model, n.feed));
  for (const auto& node : form.model.graph().node()) {
    EXPECT_EQ(node.domain(), "");
    EXPECT_NE(node.op_type(), "SimplifiedLayerNormalization");
  }
  const Tensor expected = runtime::Session(n.form.model, testing::no_store()).run(n.feed, {"y"})[0];
  const Tensor found = runtime::Session(form.model, testing::no_store()).run(n.feed, {"y"})[0];
  ASSERT_EQ(found.shape(), expected.shape());
  for (std::size_t i = 0; i < expected.as<float>().size(); ++i)
    EXPECT_NEAR(found.as<float>()[i], expected.as<float>()[i], 2e-4F) << i;
}

TEST_P(ContribTest, HasGradients) {
  const Network n = network_of(GetParam());
  const onnx::ModelProto model = written_out(n.form, facts_of(n.form.model, n.feed)).model;
  testing::expect_gradient(model, GetParam().input, n.w, n.feed);
}

INSTANTIATE_TEST_SUITE_P(Operators, ContribTest, ::testing::ValuesIn(kCases),
                         [](const auto& tested) { return tested.param.name; });

TEST(ContribNodes, WithStatesStay) {
  const Network n = network_of(
      {"", {2, 3, 8}, "y, p = com.microsoft.Attention<num_heads = 2, unidirectional = 1>(h, a, b)", {8, 24}, {24}});
  EXPECT_EQ(written_out(n.form, facts_of(n.form.model, n.feed)).index, n.form.index);
}

TEST(ContribNodes, EmbeddingsAreGatheredAndNormalised) {
  RunForm form;
  const auto status = onnx::OnnxParser::Parse(form.model, R"(
    <ir_version: 8, opset_import: ["" : 18, "com.microsoft" : 1]> g (int32[2,3] x) => (float y, int32 m) {
      y, m = com.microsoft.EmbedLayerNormalization<epsilon = 0.01>(x, x, w, b, c, gamma, beta, seen)
    })");
  ASSERT_TRUE(status.IsOK()) << status.ErrorMessage();
  const std::vector<float> words = gaussians(1, 40);
  testing::add_floats(form.model, "w", {5, 8}, words);
  std::uint64_t seed = 2;
  for (const auto& [name, shape] : {std::pair{"b", Shape{4, 8}}, std::pair{"c", Shape{5, 8}},
                                    std::pair{"gamma", Shape{8}}, std::pair{"beta", Shape{8}}})
    testing::add_floats(form.model, name, shape, gaussians(seed++, count_of(shape)));
  add_whole(form.model, "seen", {2, 3}, {1, 1, 0, 1, 1, 1});
  for (int i = 0; i < 2; ++i)
    form.model.mutable_graph()->mutable_output(i)->mutable_type()->mutable_tensor_type()->clear_shape();
  form.index = std::make_shared<RunIndex>(form.model);
  Tensor ids(DType::kInt32, {2, 3});
  const std::vector<std::int32_t> chosen = {4, 0, 1, 1, 2, 3};
  std::copy(chosen.begin(), chosen.end(), ids.as_mutable<std::int32_t>().begin());
  const Feed feed{{"x", ids}};
  const RunForm written = written_out(form, facts_of(form.model, feed));
  ASSERT_NE(written.index, form.index);
  const auto expected = runtime::Session(form.model, testing::no_store()).run(feed, {"y", "m"});
  const auto found = runtime::Session(written.model, testing::no_store()).run(feed, {"y", "m"});
  for (std::size_t i = 0; i < expected[0].as<float>().size(); ++i)
    EXPECT_NEAR(found[0].as<float>()[i], expected[0].as<float>()[i], 1e-5F);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(found[1].as<std::int32_t>()[i], expected[1].as<std::int32_t>()[i]);
}

}  // namespace
}  // namespace mpq::graph::adjoint
