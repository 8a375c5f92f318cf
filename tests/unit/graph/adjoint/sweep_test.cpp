#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "differences.h"

namespace mpq::graph::adjoint {
namespace {

using ::testing::HasSubstr;

AdjointGraph build_for(const std::string& text, const std::vector<std::string>& weights, Head head,
                       const Shape& x_shape, Feed* feed = nullptr) {
  head.value = "y";
  onnx::ModelProto model = testing::parsed(text);
  for (const std::string& weight : weights)
    testing::add_floats(model, weight, {3, 3}, testing::gaussians(weight[0], 9));
  const Feed sample{{"x", testing::tensor_of(x_shape, testing::gaussians(2, count_of(x_shape)))}};
  if (feed != nullptr) *feed = sample;
  return build(model, testing::facts_of(model, sample), weights, {head}, 1);
}

AdjointGraph build_for(const std::string& text, const std::vector<std::string>& weights, Head::Kind kind,
                       const Shape& x_shape, Feed* feed = nullptr) {
  return build_for(text, weights, Head{"", kind}, x_shape, feed);
}

/// The adjoint of the one weight for the probe (1, -1, 1).
Tensor gradient_of(const AdjointGraph& graph, Feed feed, const Shape& probe_shape) {
  feed[graph.probes[0]] = testing::tensor_of(probe_shape, {1, -1, 1});
  return runtime::Session(graph.model, testing::no_store()).run(feed, {graph.weights[0].dense})[0];
}

TEST(Sweep, StopsWhereThereIsNoRuleAndGoesOnElsewhere) {
  const AdjointGraph graph = build_for(R"(g (float[2, 3] x) => (float[2, 3] y) {
    a = MatMul(x, v)  b = Det(s)  s = Identity(v)  c = MatMul(a, w)  y = Mul(c, b) })",
                                       {"v", "w"}, Head::Kind::kDirect, {2, 3});
  EXPECT_THAT(graph.weights[0].stop, HasSubstr("Det"));
  EXPECT_EQ(graph.weights[1].stop, "");
  EXPECT_NE(graph.weights[1].dense, "");
}

TEST(Sweep, StopsAtDiscreteResults) {
  const AdjointGraph graph = build_for(R"(g (float[2, 3] x) => (float[2, 3] y) {
    a = MatMul(x, v)  i = ArgMax<axis = 1, keepdims = 0>(a)  y = Gather(w, i) })",
                                       {"v", "w"}, Head::Kind::kDirect, {2, 3});
  EXPECT_THAT(graph.weights[0].stop, HasSubstr("ArgMax"));
  EXPECT_EQ(graph.weights[1].gathered.size(), 1U);
}

TEST(Sweep, WeightsOutOfReachHaveNoAdjoint) {
  const AdjointGraph graph = build_for(R"(g (float[2, 3] x) => (float[2, 3] y) {
    a = MatMul(x, v)  y = MatMul(x, w) })",
                                       {"v", "w"}, Head::Kind::kDirect, {2, 3});
  EXPECT_EQ(graph.weights[0].dense, "");
  EXPECT_EQ(graph.weights[0].stop, "");
}

/// A whole network: every weight of the model in models/digits.
TEST(Sweep, GradientsOfARealModelMatchCentralDifferences) {
  onnx::ModelProto model;
  std::ifstream file(MPQ_REAL_MODEL, std::ios::binary);
  ASSERT_TRUE(model.ParseFromIstream(&file));
  const auto& input = model.graph().input(0);
  Shape shape;
  for (const auto& dim : input.type().tensor_type().shape().dim()) {
    shape.push_back(dim.has_dim_value() && dim.dim_value() > 0 ? dim.dim_value() : 1);
  }
  std::vector<float> image = testing::gaussians(2, count_of(shape));
  for (float& pixel : image) pixel = pixel > 0 ? pixel : 0;
  const Feed feed{{input.name(), testing::tensor_of(shape, image)}};
  int tested = 0;
  for (const auto& tensor : model.graph().initializer()) {
    const Shape dims(tensor.dims().begin(), tensor.dims().end());
    if (dims.size() < 2) continue;
    SCOPED_TRACE(tensor.name());
    std::string scratch;
    const auto bytes = raw_bytes(tensor, testing::no_store(), scratch);
    std::vector<float> w(bytes.size() / sizeof(float));
    std::memcpy(w.data(), bytes.data(), bytes.size());
    testing::expect_gradient(model, dims, w, feed, 2e-4, 3e-2, tensor.name());
    ++tested;
  }
  EXPECT_GE(tested, 10);
}

/// The probe at a softmax has covariance diag(p) - pp', the Fisher matrix of the logits.
TEST(Heads, SoftmaxProbesGiveTheSameAdjointFromLogitsAndProbabilities) {
  const std::string body = "g (float[1, 3] x) => (float[1, 3] y) { z = MatMul(x, w) y = ";
  Feed feed;
  const AdjointGraph a = build_for(body + "Softmax(z) }", {"w"}, Head::Kind::kProbabilities, {1, 3}, &feed);
  const AdjointGraph b = build_for(body + "Identity(z) }", {"w"}, Head::Kind::kLogits, {1, 3});
  const Tensor first = gradient_of(a, feed, {1, 1, 3}), second = gradient_of(b, feed, {1, 1, 3});
  for (std::size_t i = 0; i < 9; ++i) EXPECT_NEAR(first.as<float>()[i], second.as<float>()[i], 1e-6F);
}

/// level x' (sqrt(p) r - p <sqrt(p), r>) with p = softmax(z / temperature), worked out by hand; the softmax may stand
/// behind a reshape.
TEST(Heads, SoftenedRowsAreSeenAtTheTemperature) {
  constexpr double kTemperature = 4, kLevel = .5;
  for (const Head::Kind kind : {Head::Kind::kLogits, Head::Kind::kProbabilities}) {
    const bool logits = kind == Head::Kind::kLogits;
    const std::string text = logits ? "g (float[1, 3] x) => (float[1, 3] y) { y = MatMul(x, w) }"
                                    : "g (float[1, 3] x) => (float[1, 1, 3] y) { z = MatMul(x, w) s = Softmax(z) "
                                      "shape = Constant <value = int64[3] {1, 1, 3}> () y = Reshape(s, shape) }";
    Feed feed;
    const AdjointGraph graph = build_for(text, {"w"}, {"", kind, kTemperature, kLevel}, {1, 3}, &feed);
    const Tensor found = gradient_of(graph, feed, logits ? Shape{1, 1, 3} : Shape{1, 1, 1, 3});
    const std::vector<float> w = testing::gaussians('w', 9);
    const auto x = feed.at("x").as<float>();
    double p[3], total = 0, inner = 0;
    const double r[3] = {1, -1, 1};
    for (std::size_t j = 0; j < 3; ++j) {
      double z = 0;
      for (std::size_t i = 0; i < 3; ++i) z += static_cast<double>(x[i] * w[i * 3 + j]);
      total += p[j] = std::exp(z / kTemperature);
    }
    for (std::size_t j = 0; j < 3; ++j) inner += std::sqrt(p[j] /= total) * r[j];
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j) {
        const double expected = kLevel * static_cast<double>(x[i]) * (std::sqrt(p[j]) * r[j] - p[j] * inner);
        EXPECT_NEAR(static_cast<double>(found.as<float>()[i * 3 + j]), expected, 1e-5) << i << " " << j;
      }
    }
  }
}

}  // namespace
}  // namespace mpq::graph::adjoint
