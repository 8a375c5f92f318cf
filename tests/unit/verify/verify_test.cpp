#include "mpq/verify.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "../analyze/fixtures.h"
#include "graph/memory_plan.h"
#include "runtime/session.h"
#include "support/statistics.h"

namespace mpq {
namespace {

using testing_models::gaussian_samples;
using testing_models::load;
using testing_models::residual_mlp;

/// The model with one weight moved a little.
onnx::ModelProto moved(onnx::ModelProto proto, const std::string& weight, float by) {
  for (auto& tensor : *proto.mutable_graph()->mutable_initializer()) {
    if (tensor.name() != weight) continue;
    for (int i = 0; i < tensor.float_data_size(); i += 3) tensor.set_float_data(i, tensor.float_data(i) + by);
  }
  return proto;
}

std::vector<double> output(const Model& model, const Feed& feed) {
  const runtime::Session session(model);
  const std::vector<Tensor> outputs = session.run(feed);
  const auto values = outputs[0].as<float>();
  return {values.begin(), values.end()};
}

/// One reference for several models: each is compared as if alone, labels and all.
TEST(Verifier, ComparesOneModelAfterAnother) {
  const Model a = load(residual_mlp());
  const Samples samples = gaussian_samples("x", {1, 32}, 20);
  const std::vector<std::int64_t> labels(samples.size(), 1);
  const Verifier verifier(a, samples);
  for (const float by : {0.05F, 0.2F, 0.01F}) {
    const Model b = load(moved(residual_mlp(), "w2", by));
    const Verification found = verifier.verify(b, labels), expected = verify(a, b, samples, labels);
    EXPECT_EQ(found.damage, expected.damage);
    EXPECT_EQ(found.outputs[0].relative_mse, expected.outputs[0].relative_mse);
    EXPECT_EQ(found.accuracy->quantized, expected.accuracy->quantized);
  }
  EXPECT_THROW(verifier.verify(a, {1}), Error);
}

TEST(Verify, FiguresAreThoseOfAllOutputsTakenTogether) {
  const Model a = load(residual_mlp()), b = load(moved(residual_mlp(), "w2", 0.05F));
  const Samples samples = gaussian_samples("x", {1, 32}, 20);
  double error = 0, energy = 0, kl = 0, cosine = 0, largest = 0;
  int same = 0;
  std::vector<double> divergences;
  for (std::size_t s = 0; s < samples.size(); ++s) {
    const auto y = output(a, samples[s]), z = output(b, samples[s]);
    double yy = 0, zz = 0, yz = 0, py = 0, pz = 0, d = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      error += (y[i] - z[i]) * (y[i] - z[i]);
      largest = std::max(largest, std::fabs(y[i] - z[i]));
      yy += y[i] * y[i], zz += z[i] * z[i], yz += y[i] * z[i];
      py += std::exp(y[i]), pz += std::exp(z[i]);
    }
    for (std::size_t i = 0; i < y.size(); ++i) {
      d += std::exp(y[i]) / py * (y[i] - std::log(py) - z[i] + std::log(pz));
    }
    energy += yy;
    cosine += yz / std::sqrt(yy * zz) / 20;
    kl += d / 20;
    divergences.push_back(d);
    same += std::max_element(y.begin(), y.end()) - y.begin() == std::max_element(z.begin(), z.end()) - z.begin();
  }
  const Verification result = verify(a, b, samples);
  ASSERT_EQ(result.outputs.size(), 1U);
  const OutputComparison& y = result.outputs[0];
  EXPECT_EQ(y.name, "y");
  EXPECT_EQ(y.kind, "logits");
  EXPECT_NEAR(y.relative_mse, error / energy, 1e-6 * error / energy);
  EXPECT_NEAR(y.sqnr_db, -10 * std::log10(error / energy), 1e-5);
  EXPECT_NEAR(y.cosine, cosine, 1e-9);
  EXPECT_NEAR(y.max_abs, largest, 1e-9);
  EXPECT_NEAR(*y.kl, kl, 1e-6 * kl);
  EXPECT_DOUBLE_EQ(*y.top1_agreement, same / 20.0);
  EXPECT_EQ(y.rows, 20);
  EXPECT_EQ(result.metric, "kl");
  EXPECT_NEAR(result.damage, kl, 1e-6 * kl);
  EXPECT_NEAR(result.damage_standard_error, mean_and_error(divergences).standard_error, 1e-6 * kl);
}

TEST(Verify, DoesNotDependOnThreads) {
  const Model a = load(residual_mlp()), b = load(moved(residual_mlp(), "w1", 0.1F));
  const Samples samples = gaussian_samples("x", {1, 32}, 33);
  VerifyOptions one, many;
  one.threads = 1;
  many.threads = 5;
  const Verification p = verify(a, b, samples, {}, one), q = verify(a, b, samples, {}, many);
  EXPECT_EQ(p.damage, q.damage);
  EXPECT_EQ(p.damage_standard_error, q.damage_standard_error);
  EXPECT_EQ(p.outputs[0].relative_mse, q.outputs[0].relative_mse);
  EXPECT_EQ(p.outputs[0].cosine, q.outputs[0].cosine);
  EXPECT_EQ(*p.outputs[0].kl, *q.outputs[0].kl);
}

TEST(Verify, PieceByPieceTheFiguresAreTheSame) {
  const Model a = load(residual_mlp()), b = load(moved(residual_mlp(), "w2", 0.05F));
  const Samples samples = gaussian_samples("x", {1, 32}, 20);
  const std::vector<std::int64_t> labels(20, 3);
  VerifyOptions options;
  options.memory_limit_bytes = graph::least_memory_bytes(a);
  ASSERT_TRUE(graph::plan_memory(a, options.memory_limit_bytes).pieces);
  const Verification whole = verify(a, b, samples, labels), pieces = verify(a, b, samples, labels, options);
  EXPECT_NEAR(pieces.damage, whole.damage, 1e-4 * whole.damage);
  EXPECT_NEAR(pieces.damage_standard_error, whole.damage_standard_error, 1e-4 * whole.damage_standard_error);
  EXPECT_NEAR(pieces.outputs[0].sqnr_db, whole.outputs[0].sqnr_db, 1e-3);
  EXPECT_EQ(pieces.outputs[0].top1_agreement, whole.outputs[0].top1_agreement);
  EXPECT_EQ(pieces.accuracy->quantized, whole.accuracy->quantized);
  EXPECT_EQ(pieces.metric, whole.metric);
}

TEST(Verify, AModelAgainstItselfIsUndamaged) {
  const Model a = load(residual_mlp());
  const Verification result = verify(a, a, gaussian_samples("x", {1, 32}, 5));
  EXPECT_EQ(result.damage, 0);
  EXPECT_EQ(result.outputs[0].sqnr_db, 300);
}

TEST(Verify, LabelsGiveTheAccuracyBeforeAndAfter) {
  const Model a = load(residual_mlp()), b = load(moved(residual_mlp(), "w3", 1.0F));
  const Samples samples = gaussian_samples("x", {1, 32}, 40);
  std::vector<std::int64_t> labels;
  int right = 0;
  for (std::size_t s = 0; s < samples.size(); ++s) {
    const auto y = output(a, samples[s]), z = output(b, samples[s]);
    labels.push_back(std::max_element(y.begin(), y.end()) - y.begin());
    right += std::max_element(z.begin(), z.end()) - z.begin() == labels.back();
  }
  const Verification result = verify(a, b, samples, labels);
  ASSERT_TRUE(result.accuracy);
  EXPECT_EQ(result.accuracy->reference, 1);
  EXPECT_DOUBLE_EQ(result.accuracy->quantized, right / 40.0);
  EXPECT_DOUBLE_EQ(result.accuracy->mcnemar_p, mcnemar_exact(40 - right, 0));
  labels.pop_back();
  EXPECT_THROW(verify(a, b, samples, labels), Error);
}

TEST(Verify, LabelsNeedAnOutputThatClassifies) {
  const auto proto = testing_models::parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[N,32] x) => (float[N,24] y) { h = MatMul(x, w)  y = Abs(h) })",
                                           {{"w", {32, 24}, 0.2F}});
  const Model model = load(proto);
  const Samples rows = gaussian_samples("x", {3, 32}, 4);  // three rows per sample
  try {
    verify(model, model, rows, {0, 1, 2, 3});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    EXPECT_THAT(error.what(), testing::HasSubstr("no output of the model names one class per sample"));
  }
}

TEST(Verify, RefusesModelsOfOtherOutputs) {
  const auto narrow = testing_models::parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[N,32] x) => (float[N,7] y) { y = MatMul(x, w) })",
                                            {{"w", {32, 7}, 0.2F}});
  const auto flat = testing_models::parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[N,32] x) => (float y) { h = MatMul(x, w)  y = ReduceSum <keepdims = 0> (h) })",
                                          {{"w", {32, 7}, 0.2F}});
  const Samples samples = gaussian_samples("x", {1, 32}, 3);
  const Model wide = load(residual_mlp());
  EXPECT_THROW(verify(wide, load(narrow), samples), Error);
  EXPECT_THROW(verify(wide, load(flat), samples), Error);
  EXPECT_THROW(verify(wide, wide, Samples({}, {})), Error);
}

TEST(Verify, ReportsADestroyedModel) {
  const Model a = load(residual_mlp()), b = load(moved(residual_mlp(), "w3", std::nanf("")));
  const Verification result = verify(a, b, gaussian_samples("x", {1, 32}, 4));
  EXPECT_EQ(result.damage, 1e6);
  EXPECT_EQ(result.outputs[0].relative_mse, 1e6);
}

/// Outputs a and b, of which a is moved.
Model two_outputs(float by) {
  return load(moved(testing_models::parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[N,32] x) => (float[N,24] a, float[N,24] b) { a = MatMul(x, w1)  b = MatMul(x, w2) })",
                                          {{"w1", {32, 24}, 0.2F}, {"w2", {32, 24}, 0.2F}}),
                    "w1", by));
}

TEST(Verify, MeasuresOnlyTheOutputsAskedFor) {
  const Samples samples = gaussian_samples("x", {1, 32}, 4);
  VerifyOptions options;
  options.outputs_glob = "b";
  EXPECT_EQ(verify(two_outputs(0), two_outputs(0.1F), samples, {}, options).damage, 0);
  options.outputs_glob = "a";
  const double alone = verify(two_outputs(0), two_outputs(0.1F), samples, {}, options).damage;
  EXPECT_GT(alone, 0);
  EXPECT_NEAR(verify(two_outputs(0), two_outputs(0.1F), samples).damage, alone / 2, 1e-9);
  options.outputs_glob = "c";
  EXPECT_THROW(verify(two_outputs(0), two_outputs(0.1F), samples, {}, options), Error);
}

TEST(Verify, WeighsTheOutputsAndTakesTheirKindsFromTheUser) {
  const Samples samples = gaussian_samples("x", {1, 32}, 4);
  const auto judged = [&](const std::vector<OutputRole>& roles) {
    VerifyOptions options;
    options.output_roles = roles;
    return verify(two_outputs(0), two_outputs(0.1F), samples, {}, options);
  };
  const double alone = judged({OutputRole::parse_weight("b=0")}).damage;
  EXPECT_NEAR(judged({OutputRole::parse_weight("a=3")}).damage, 0.75 * alone, 1e-9);
  const Verification plain = judged({OutputRole::parse_kind("*=tensor")});
  EXPECT_EQ(plain.metric, "mse");
  EXPECT_EQ(plain.outputs[0].kind, "tensor");
  EXPECT_FALSE(plain.outputs[0].kl.has_value());
  EXPECT_EQ(judged({}).metric, "kl");
}

TEST(VerifyOptions, AreChecked) {
  VerifyOptions options;
  options.metric = "psnr";
  EXPECT_THROW(options.validate(), Error);
  options = {};
  options.threads = -1;
  EXPECT_THROW(options.validate(), Error);
}

}  // namespace
}  // namespace mpq
