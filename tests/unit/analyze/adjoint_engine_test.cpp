#include "analyze/adjoint_engine.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "analyze/engine.h"
#include "fixtures.h"
#include "support/statistics.h"

namespace mpq::perturb {
namespace {

using testing_models::gaussian_samples;
using testing_models::load;

const std::vector<Candidate> kCandidates = {{2, "grid", 0}, {4, "grid", 0}, {8, "grid", 0}, {32, "float", 0}};

class Listener : public Observer {
 public:
  void warn(const std::string& message, const std::string&) override {
    const std::lock_guard lock(mutex_);
    warnings += message + "\n";
  }
  void note(const std::string& message) override {
    const std::lock_guard lock(mutex_);
    notes += message + "\n";
  }
  std::string warnings, notes;

 private:
  std::mutex mutex_;
};

Sensitivity run(const Model& model, const Samples& samples, const std::string& engine, int probes = 2, int threads = 1,
                Observer& observer = silent_observer(), const std::vector<OutputRole>& roles = {},
                AnalyzeOptions options = {}, AnalysisCost* cost = nullptr) {
  options.output_roles = roles;
  options.engine = engine;
  options.probes = probes;
  options.trials = static_cast<int>(samples.size());
  options.threads = threads;
  std::vector<std::vector<Candidate>> candidates;
  for (const Layer& layer : model.layers()) {
    if (layer.quantizable()) candidates.push_back(kCandidates);
  }
  return analyze_candidates(model, samples, candidates, options, observer, cost);
}

void expect_close(const Sensitivity& adjoint, const Sensitivity& measured, std::size_t candidate, double tolerance) {
  ASSERT_EQ(adjoint.layers.size(), measured.layers.size());
  for (std::size_t l = 0; l < adjoint.layers.size(); ++l) {
    const double expected = measured.layers[l].candidates[candidate].damage;
    EXPECT_NEAR(adjoint.layers[l].candidates[candidate].damage, expected, tolerance * expected)
        << adjoint.layers[l].layer.name;
  }
}

/// An embedding whose output is measured by its error: linear, so the law is exact and only the probes are random.
onnx::ModelProto embedding() {
  return testing_models::parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (int64[6] x) => (float[6,24] y) { e = Gather(table, x)  y = MatMul(e, w) })",
                               {{"table", {20, 32}, 1}, {"w", {32, 24}, 0.2F}});
}

Samples tokens() {
  std::vector<Feed> feeds;
  for (std::int64_t k = 0; k < 6; ++k) {
    Tensor ids(DType::kInt64, {6});
    for (std::int64_t i = 0; i < 6; ++i)
      ids.as_mutable<std::int64_t>()[static_cast<std::size_t>(i)] = (7 * k + i * i) % 20 - (i == 3 ? 20 : 0);
    feeds.push_back({{"x", ids}});
  }
  return Samples(feeds, {});
}

TEST(AdjointEngine, IsExactInTheMeanWhereTheNetworkIsLinear) {
  const Model model = load(embedding());
  const Sensitivity measured = run(model, tokens(), "rounding");
  ASSERT_EQ(measured.settings.metric, "mse");
  const Sensitivity priced = run(model, tokens(), "adjoint", 400);
  for (const std::size_t candidate : {0U, 1U, 2U}) expect_close(priced, measured, candidate, 0.15);
  EXPECT_EQ(priced.settings.engine, "adjoint");
  EXPECT_EQ(priced.settings.probes, 400);
  EXPECT_EQ(measured.settings.probes, 0);
}

TEST(AdjointEngine, GivesTheDivergenceOfSmallPerturbations) {
  const Model model = load(testing_models::residual_mlp());
  const Samples samples = gaussian_samples("x", {1, 32}, 12);
  const Sensitivity measured = run(model, samples, "rounding");
  ASSERT_EQ(measured.settings.metric, "kl");
  expect_close(run(model, samples, "adjoint", 400), measured, 2, 0.15);
}

TEST(AdjointEngine, TellsWhichRowsCount) {
  // An output channel's adjoint is as large as the factor behind it.
  onnx::ModelProto proto = testing_models::parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[1,32] x) => (float[1,24] y) { h = MatMul(x, w)  y = Mul(h, s) })",
                                                 {{"w", {32, 24}, 0.1F}});
  std::vector<float> factors;
  for (int r = 0; r < 24; ++r) factors.push_back(0.2F + 0.1F * static_cast<float>(r * 7 % 24));
  testing_models::add_initializer(proto, "s", {1, 24}, factors);
  const Model model = load(proto);
  const Samples samples = gaussian_samples("x", {1, 32}, 8);
  AnalyzeOptions options;
  options.forms = {"grid", "rows"};
  const Sensitivity scores =
      run(model, samples, "adjoint", 400, 1, silent_observer(), {OutputRole::parse_kind("y=tensor")}, options);
  const auto& halves = scores.layers.at(0).row_energies;
  double energy = 0, square = 0;
  for (std::size_t r = 0; r < 24; ++r) {
    energy += halves[0].at(r) + halves[1].at(r);
    square += std::pow(factors[r], 2);
  }
  for (std::size_t r = 0; r < 24; ++r) {
    const double expected = energy * std::pow(factors[r], 2) / square;
    EXPECT_NEAR(halves[0][r] + halves[1][r], expected, 0.15 * expected) << r;
    EXPECT_GT(halves[1][r], 0.3 * halves[0][r]) << "half of the samples each";
  }
  const Sensitivity unasked = run(model, samples, "adjoint", 2);
  EXPECT_TRUE(unasked.layers[0].row_energies[0].empty());
}

TEST(AdjointEngine, WeighsTheOutputsAsTheRerunsDo) {
  const Model model = load(testing_models::parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[1,32] x) => (float[1,24] a, float[1,24] b) { h = MatMul(x, v)  a = MatMul(h, w)  b = Tanh(h) })",
                                                 {{"v", {32, 24}, 0.1F}, {"w", {24, 24}, 0.2F}}));
  const Samples samples = gaussian_samples("x", {1, 32}, 8);
  const std::vector<OutputRole> roles = {OutputRole::parse_weight("a=5"), OutputRole::parse_kind("b=tensor")};
  const Sensitivity measured = run(model, samples, "rounding", 2, 1, silent_observer(), roles);
  expect_close(run(model, samples, "adjoint", 400, 1, silent_observer(), roles), measured, 2, 0.2);
  EXPECT_EQ(measured.measured_as[0].weight, 5);
  EXPECT_EQ(measured.measured_as[1].kind, "tensor");
  const Sensitivity even = run(model, samples, "rounding");
  EXPECT_NEAR(measured.layers[1].candidates[2].damage, even.layers[1].candidates[2].damage * (5.0 / 6) / (1.0 / 2),
              1e-9);
}

TEST(AdjointEngine, GivesTheSameBytesOnAnyNumberOfThreads) {
  const Model model = load(testing_models::residual_mlp());
  const Samples samples = gaussian_samples("x", {1, 32}, 8);
  EXPECT_EQ(to_json(run(model, samples, "adjoint", 2, 1)), to_json(run(model, samples, "adjoint", 2, 3)));
}

TEST(AdjointEngine, SamplesOfSeveralShapesHaveAGraphEach) {
  const Model model = load(testing_models::residual_mlp());
  const Samples one = gaussian_samples("x", {1, 32}, 4), two = gaussian_samples("x", {2, 32}, 4, 78);
  const Samples both({one[0], two[0], one[1], two[1]}, {});
  expect_close(run(model, both, "adjoint", 400), run(model, both, "rounding"), 2, 0.2);
}

TEST(AdjointEngine, LayersItCannotReachAreMeasured) {
  const Model model = load(testing_models::parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[12,12] x) => (float[12,12] y) { a = MatMul(x, v)  d = Det(a)  b = Tanh(d)  c = MatMul(x, w)  y = Add(b, c) })",
                                                 {{"v", {12, 12}, 0.3F}, {"w", {12, 12}, 0.3F}}));
  const Samples samples = gaussian_samples("x", {12, 12}, 4);
  Listener listener;
  const Sensitivity priced = run(model, samples, "adjoint", 2, 1, listener);
  const Sensitivity measured = run(model, samples, "rounding");
  EXPECT_THAT(listener.warnings, ::testing::HasSubstr("The adjoint stops at Det"));
  EXPECT_EQ(priced.layers[0].candidates[1].damage, measured.layers[0].candidates[1].damage);
  EXPECT_NE(priced.layers[1].candidates[1].damage, measured.layers[1].candidates[1].damage);
}

/// Two branches with a weight each; an input decides.
Model branching() {
  return load(testing_models::parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[1,32] x, bool first) => (float[1,24] y) {
      h = MatMul(x, u)
      y = If (first) <
        then_branch = left () => (float[1,24] l) { l = MatMul(h, v) },
        else_branch = right () => (float[1,24] r) { r = MatMul(h, w) }> })",
                                    {{"u", {32, 32}, 0.2F}, {"v", {32, 24}, 0.2F}, {"w", {32, 24}, 0.2F}}));
}

Samples with_condition(const std::vector<bool>& first) {
  const Samples inputs = gaussian_samples("x", {1, 32}, first.size());
  std::vector<Feed> feeds;
  for (std::size_t i = 0; i < first.size(); ++i) {
    Feed feed = inputs[i];
    Tensor condition(DType::kBool, {});
    condition.as_mutable<bool>()[0] = first[i];
    feed.insert_or_assign("first", condition);
    feeds.push_back(std::move(feed));
  }
  return {std::move(feeds), inputs.facts()};
}

TEST(AdjointEngine, AWeightThatHoldsInfinityKeepsNoOtherFromBeingPriced) {
  onnx::ModelProto proto = testing_models::parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (int64[6] x) => (float[6,24] y) {
      e = Gather(table, x)  h = MatMul(e, w)  m = Gather(masks, x)  a = Add(h, m)  y = Softmax(a) })",
                                                 {{"table", {20, 32}, 1}, {"w", {32, 24}, 0.1F}});
  std::vector<float> masks(480, 0.0F);
  masks[5] = -std::numeric_limits<float>::infinity();
  testing_models::add_initializer(proto, "masks", {20, 24}, masks);
  Listener listener;
  const Sensitivity priced = run(load(proto), tokens(), "adjoint", 2, 1, listener);
  EXPECT_THAT(listener.warnings, ::testing::HasSubstr("'masks' holds infinity at element 5"));
  EXPECT_THAT(listener.warnings, ::testing::Not(::testing::HasSubstr("reruns")));
  ASSERT_EQ(priced.layers.size(), 2U);
  for (const LayerSensitivity& layer : priced.layers) EXPECT_GT(layer.candidates[0].damage, 0);
}

TEST(AdjointEngine, ReachesIntoTheBranchThatAllSamplesTake) {
  const Model model = branching();
  Listener listener;
  const Samples samples = with_condition(std::vector<bool>(6, true));
  const Sensitivity priced = run(model, samples, "adjoint", 400, 1, listener);
  EXPECT_THAT(listener.warnings, ::testing::Not(::testing::HasSubstr("The adjoint stops")));
  EXPECT_THAT(listener.warnings, ::testing::HasSubstr("never exercise 1 of 3 layers"));
  const Sensitivity measured = run(model, samples, "rounding");
  for (const std::size_t layer : {0U, 1U}) {
    const double expected = measured.layers[layer].candidates[2].damage;
    EXPECT_NEAR(priced.layers[layer].candidates[2].damage, expected, 0.15 * expected) << layer;
  }
  EXPECT_GT(priced.layers[2].score, 0) << "priced like a layer of median sensitivity";
}

TEST(AdjointEngine, BranchesThatChangeFromSampleToSampleAreMeasured) {
  const Model model = branching();
  Listener listener;
  const Samples samples = with_condition({true, false, true, false});
  const Sensitivity priced = run(model, samples, "adjoint", 2, 1, listener);
  EXPECT_THAT(listener.warnings, ::testing::HasSubstr("The adjoint stops at If"));
  EXPECT_EQ(
      to_json(priced).substr(to_json(priced).find("\"layers\"")),
      to_json(run(model, samples, "rounding")).substr(to_json(run(model, samples, "rounding")).find("\"layers\"")));
}

TEST(AdjointEngine, AutoIsTheAdjointWhereItApplies) {
  const Model model = load(testing_models::residual_mlp());
  const Samples samples = gaussian_samples("x", {1, 32}, 8);
  EXPECT_EQ(to_json(run(model, samples, "auto")), to_json(run(model, samples, "adjoint")));
  const auto engine_with = [&](const auto& change) {
    AnalyzeOptions options;
    change(options);
    return run(model, samples, "auto", 1, 1, silent_observer(), {}, options).settings.engine;
  };
  EXPECT_EQ(engine_with([](AnalyzeOptions& o) { o.metric = "cosine"; }), "rounding");
  EXPECT_EQ(engine_with([](AnalyzeOptions& o) { o.place = "local"; }), "rounding");
  EXPECT_EQ(engine_with([](AnalyzeOptions& o) { o.aggregation = "max"; }), "rounding");
  EXPECT_EQ(engine_with([](AnalyzeOptions& o) { o.full_reruns = true; }), "rounding");
  EXPECT_EQ(engine_with([](AnalyzeOptions& o) { o.noise = "uniform"; }), "noise");
}

TEST(AdjointEngine, PilotsTellHowWellTheEnginesAgreeAndChangeNoPrice) {
  const Model model = load(testing_models::residual_mlp());
  const Samples samples = gaussian_samples("x", {1, 32}, 12);
  AnalyzeOptions options;
  options.pilots = 3;
  const Sensitivity piloted = run(model, samples, "auto", 50, 1, silent_observer(), {}, options);
  const Sensitivity adjoint = run(model, samples, "adjoint", 50), measured = run(model, samples, "rounding");
  std::vector<double> prices, damages;
  for (std::size_t l = 0; l < 3; ++l) {
    for (std::size_t c = 0; c + 1 < kCandidates.size(); ++c) {
      EXPECT_EQ(piloted.layers[l].candidates[c].damage, adjoint.layers[l].candidates[c].damage);
      prices.push_back(adjoint.layers[l].candidates[c].damage);
      damages.push_back(measured.layers[l].candidates[c].damage);
    }
  }
  ASSERT_TRUE(piloted.agreement.has_value());
  EXPECT_FALSE(adjoint.agreement.has_value());
  EXPECT_EQ(piloted.agreement->pairs, 9);
  EXPECT_NEAR(piloted.agreement->rank_correlation, spearman(prices, damages), 1e-12);
  for (std::size_t i = 0; i < prices.size(); ++i) prices[i] /= damages[i];
  std::sort(prices.begin(), prices.end());
  EXPECT_NEAR(piloted.agreement->median_ratio, prices[4], 1e-12);
}

TEST(AdjointEngine, TellsWhatItCostsAtMostBeforeItBegins) {
  const Model model = load(testing_models::residual_mlp());
  Listener listener;
  AnalysisCost cost;
  AnalyzeOptions options;
  options.pilots = 2;
  run(model, gaussian_samples("x", {1, 32}, 4), "auto", 1, 1, listener, {}, options, &cost);
  EXPECT_THAT(listener.notes, ::testing::HasSubstr("Reverse passes over 4 samples: at most "));
  EXPECT_THAT(listener.notes, ::testing::HasSubstr("Reruns of 2 pilot layers: at most "));
  EXPECT_GE(cost.bound_equivalents, 4 * (1 + 12) + 2 * 4 * (3 + 1));
  EXPECT_EQ(cost.full_rerun_equivalents, 3 * 3 * 4);
}

TEST(AdjointEngine, RefusesMetricsThatAreNoSecondOrderForm) {
  const Model model = load(testing_models::linear());
  AnalyzeOptions options;
  options.engine = "adjoint";
  options.metric = "cosine";
  EXPECT_THROW(
      analyze_candidates(model, gaussian_samples("x", {1, 16}, 2), {kCandidates}, options, silent_observer(), nullptr),
      Error);
}

}  // namespace
}  // namespace mpq::perturb
