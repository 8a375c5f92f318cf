#include "analyze/engine.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "analyze/noise.h"
#include "fixtures.h"
#include "quantize/grid.h"
#include "runtime/session.h"
#include "support/statistics.h"

namespace mpq::perturb {
namespace {

using testing_models::gaussian_samples;
using testing_models::linear;
using testing_models::load;
using testing_models::residual_mlp;

const std::vector<Candidate> kCandidates = {
    {2, "grid", 0}, {4, "grid", 0}, {8, "grid", 0}, {16, "half", 0}, {32, "float", 0}};

std::vector<std::vector<Candidate>> for_all_layers(const Model& model) {
  std::vector<std::vector<Candidate>> result;
  for (const Layer& layer : model.layers()) {
    if (layer.quantizable()) result.push_back(kCandidates);
  }
  return result;
}

/// Perturbs and reruns, by whatever law the options name.
Sensitivity run(const Model& model, const Samples& samples, AnalyzeOptions options,
                Observer& observer = silent_observer(), AnalysisCost* cost = nullptr) {
  if (options.noise == "quantization") options.engine = "rounding";
  return analyze_candidates(model, samples, for_all_layers(model), options, observer, cost);
}

/// The oracle: the model with other numbers written into an initializer, run as a whole.
std::vector<float> run_baked(onnx::ModelProto proto, const std::string& weight, const std::vector<float>& values,
                             const Feed& feed) {
  for (auto& tensor : *proto.mutable_graph()->mutable_initializer()) {
    if (tensor.name() != weight) continue;
    tensor.clear_float_data();
    for (const float value : values) tensor.add_float_data(value);
  }
  const runtime::Session session(load(proto));
  const std::vector<Tensor> outputs = session.run(feed);
  const auto view = outputs[0].as<float>();
  return {view.begin(), view.end()};
}

std::vector<double> softmax(const std::vector<float>& logits) {
  std::vector<double> p(logits.begin(), logits.end());
  const double top = *std::max_element(p.begin(), p.end());
  for (double& value : p) value = std::exp(value - top);
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& value : p) value /= sum;
  return p;
}

double divergence(const std::vector<float>& before, const std::vector<float>& after) {
  const auto p = softmax(before), q = softmax(after);
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) sum += p[i] * std::log(p[i] / q[i]);
  return sum;
}

double squares(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0, [](double sum, float v) { return sum + double{v} * v; });
}

double square_distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(double{a[i]} - double{b[i]}, 2);
  return sum;
}

AnalyzeOptions fixed(int trials) {
  AnalyzeOptions options;
  options.trials = trials;
  options.threads = 2;
  return options;
}

TEST(Engine, DamageIsThatOfTheModelWithTheStoredWeightsBakedIn) {
  const auto proto = residual_mlp();
  const Model model = load(proto);
  const Samples samples = gaussian_samples("x", {1, 32}, 5);
  const Sensitivity scores = run(model, samples, fixed(5));
  ASSERT_EQ(scores.layers.size(), 3U);
  EXPECT_EQ(scores.settings.metric, "kl");
  for (std::size_t l = 0; l < 3; ++l) {
    const LayerSensitivity& layer = scores.layers[l];
    ASSERT_EQ(layer.candidates.size(), kCandidates.size());
    const std::vector<float> weight = model.weight(l);
    for (std::size_t c = 0; c + 1 < kCandidates.size(); ++c) {
      const auto stored = quant::stored_values(weight, layer.layer, kCandidates[c]);
      std::vector<double> damages;
      for (std::size_t s = 0; s < samples.size(); ++s) {
        const auto before = run_baked(proto, layer.layer.weight, weight, samples[s]);
        damages.push_back(divergence(before, run_baked(proto, layer.layer.weight, stored, samples[s])));
      }
      const MeanError expected = mean_and_error(damages);
      EXPECT_NEAR(layer.candidates[c].damage, expected.mean, 1e-4 * expected.mean + 1e-10) << l << " " << c;
      EXPECT_NEAR(layer.candidates[c].standard_error, expected.standard_error, 1e-3 * expected.standard_error + 1e-10);
      EXPECT_EQ(layer.candidates[c].trials, 5);
      EXPECT_GT(layer.candidates[c].damage, 0);
    }
    EXPECT_EQ(layer.candidates.back().candidate.form, "float");
    EXPECT_EQ(layer.candidates.back().damage, 0);
    EXPECT_EQ(layer.score, layer.candidates[1].damage) << "the score is the damage at 4 bits";
    EXPECT_EQ(layer.candidates[0].stored_bytes, stored_bytes(layer.layer, kCandidates[0]));
  }
  EXPECT_EQ(scores.trial_runs, 3 * 4 * 5);
}

TEST(Engine, GivesTheSameBytesOnAnyNumberOfThreads) {
  const Model model = load(residual_mlp());
  const Samples samples = gaussian_samples("x", {1, 32}, 9);
  for (const std::string noise : {"quantization", "gaussian"}) {
    AnalyzeOptions options = fixed(0);
    options.noise = noise;
    options.threads = 1;
    const std::string one = to_json(run(model, samples, options));
    options.threads = 2;
    EXPECT_EQ(to_json(run(model, samples, options)), one);
    options.threads = 7;
    EXPECT_EQ(to_json(run(model, samples, options)), one);
    options.seed = 2;
    EXPECT_NE(to_json(run(model, samples, options)), one);
  }
}

TEST(Engine, FullRerunsGiveTheSameScores) {
  const Model model = load(residual_mlp());
  const Samples samples = gaussian_samples("x", {1, 32}, 6);
  AnalyzeOptions options = fixed(6);
  const Sensitivity cut = run(model, samples, options);
  options.full_reruns = true;
  const Sensitivity full = run(model, samples, options);
  for (std::size_t l = 0; l < 3; ++l) {
    for (std::size_t c = 0; c < kCandidates.size(); ++c) {
      const double damage = cut.layers[l].candidates[c].damage;
      EXPECT_NEAR(full.layers[l].candidates[c].damage, damage, 1e-4 * damage + 1e-11);
    }
  }
}

TEST(Engine, LittleActivationMemoryChangesNothing) {
  const Model model = load(residual_mlp());
  const Samples samples = gaussian_samples("x", {1, 32}, 6);
  AnalyzeOptions options = fixed(6);
  const Sensitivity roomy = run(model, samples, options);
  options.activation_memory_bytes = 1;
  const Sensitivity tight = run(model, samples, options);
  for (std::size_t l = 0; l < 3; ++l) {
    for (std::size_t c = 0; c < kCandidates.size(); ++c) {
      const double damage = roomy.layers[l].candidates[c].damage;
      EXPECT_NEAR(tight.layers[l].candidates[c].damage, damage, 1e-4 * damage + 1e-11);
      EXPECT_EQ(tight.layers[l].candidates[c].trials, roomy.layers[l].candidates[c].trials);
    }
  }
}

/// y = x W, so D = |x E|^2 / energy and E[D | x] = |x|^2 sum_c sigma_c^2 / energy.
TEST(Engine, RandomNoiseOnALinearLayerHasTheDamageItsVarianceSays) {
  const auto proto = linear();
  const Model model = load(proto);
  constexpr std::size_t kSamples = 8;
  const Samples samples = gaussian_samples("x", {1, 16}, kSamples);
  double energy = 0, input = 0;
  for (std::size_t s = 0; s < kSamples; ++s) {
    energy += squares(run_baked(proto, "w", model.weight(0), samples[s])) / kSamples;
    const auto x = samples[s].at("x").as<float>();
    input += squares({x.begin(), x.end()}) / kSamples;
  }
  for (const std::string noise : {"gaussian", "uniform", "rademacher"}) {
    AnalyzeOptions options = fixed(400);
    options.noise = noise;
    options.metric = "mse";
    const Sensitivity scores = run(model, samples, options);
    for (std::size_t c = 0; c + 1 < kCandidates.size(); ++c) {
      const Amplitude amplitude = amplitude_of(parse_law(noise), model.weight(0), scores.layers[0].layer,
                                               kCandidates[c], quant::ScaleFit::kMse);
      double variance = 0;
      for (const float a : amplitude.per_group) variance += double{a} * a * (noise == "uniform" ? 1.0 / 3 : 1.0);
      const CandidateScore& score = scores.layers[0].candidates[c];
      const double expected = input * variance / energy;
      EXPECT_NEAR(score.damage, expected, 4 * score.standard_error + 1e-12) << noise << " " << c;
      EXPECT_LT(score.standard_error, 0.1 * score.damage);
    }
  }
}

TEST(Engine, AntitheticTrialsAverageBothSigns) {
  const auto proto = residual_mlp();
  const Model model = load(proto);
  const Samples samples = gaussian_samples("x", {1, 32}, 1);
  AnalyzeOptions options = fixed(1);
  options.noise = "gaussian";
  const Sensitivity both = run(model, samples, options);
  options.antithetic = false;
  const Sensitivity one = run(model, samples, options);
  const Layer& layer = model.layers()[0];
  const auto weight = model.weight(0);
  const auto noise = draw_noise(Law::kGaussian, options.seed, layer.name, 0, weight.size());
  const Amplitude amplitude = amplitude_of(Law::kGaussian, weight, layer, kCandidates[0], quant::ScaleFit::kMse);
  const auto before = run_baked(proto, layer.weight, weight, samples[0]);
  double damages[2];
  for (const int side : {0, 1}) {
    std::vector<float> perturbed(weight.size());
    add_noise(weight, noise, amplitude, side == 0 ? 1.0F : -1.0F, perturbed);
    damages[side] = divergence(before, run_baked(proto, layer.weight, perturbed, samples[0]));
  }
  EXPECT_NEAR(one.layers[0].candidates[0].damage, damages[0], 1e-4 * damages[0]);
  EXPECT_NEAR(both.layers[0].candidates[0].damage, (damages[0] + damages[1]) / 2, 1e-4 * damages[0]);
  EXPECT_EQ(both.trial_runs, 2 * one.trial_runs);
}

TEST(Engine, LocalDamageIsThatOfTheLayersOwnOutput) {
  const auto proto = linear();
  const Model model = load(proto);
  const Samples samples = gaussian_samples("x", {1, 16}, 4);
  AnalyzeOptions options = fixed(4);
  options.place = "local";
  const Sensitivity scores = run(model, samples, options);
  EXPECT_EQ(scores.settings.metric, "mse");
  const auto stored = quant::stored_values(model.weight(0), model.layers()[0], kCandidates[1]);
  double error = 0, energy = 0;
  for (std::size_t s = 0; s < 4; ++s) {
    const auto before = run_baked(proto, "w", model.weight(0), samples[s]);
    error += square_distance(before, run_baked(proto, "w", stored, samples[s]));
    energy += squares(before);
  }
  EXPECT_NEAR(scores.layers[0].candidates[1].damage, error / energy, 1e-5 * error / energy);
}

TEST(Engine, RoundingIsNotRepeatedOnTheSameSample) {
  const Model model = load(residual_mlp());
  const Sensitivity scores = run(model, gaussian_samples("x", {1, 32}, 3), fixed(8));
  for (const LayerSensitivity& layer : scores.layers) EXPECT_EQ(layer.candidates[0].trials, 3);
}

TEST(Engine, AdaptiveTrialsStopWhenNothingIsLeftToLearn) {
  const Model model = load(residual_mlp());
  const Samples one = gaussian_samples("x", {1, 32}, 1);
  std::vector<Feed> same(20, one[0]);
  const Sensitivity scores = run(model, Samples(same, one.facts()), fixed(0));
  EXPECT_TRUE(scores.settled);
  for (const LayerSensitivity& layer : scores.layers) {
    EXPECT_EQ(layer.candidates[0].trials, 4);
    EXPECT_EQ(layer.candidates[0].standard_error, 0);
  }
}

TEST(Engine, AdaptiveTrialsStopAtTheCap) {
  const Model model = load(residual_mlp());
  AnalyzeOptions options = fixed(0);
  options.max_trials = 6;
  const Sensitivity scores = run(model, gaussian_samples("x", {1, 32}, 30), options);
  for (const LayerSensitivity& layer : scores.layers) EXPECT_LE(layer.candidates[0].trials, 6);
}

TEST(Engine, SaysWhichLayersDoNotMatterToTheMeasuredOutputs) {
  struct Warnings : Observer {
    void warn(const std::string& message, const std::string&) override { messages.push_back(message); }
    std::vector<std::string> messages;
  } observer;
  const Model model = load(testing_models::parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[N,32] x) => (float[N,24] a, float[N,24] b) { a = MatMul(x, w1)  b = MatMul(x, w2) })",
                                                 {{"w1", {32, 24}, 0.2F}, {"w2", {32, 24}, 0.2F}}));
  AnalyzeOptions options = fixed(4);
  options.outputs_glob = "b";
  const Sensitivity scores = run(model, gaussian_samples("x", {1, 32}, 4), options, observer);
  EXPECT_EQ(scores.outputs, std::vector<std::string>{"b"});
  EXPECT_EQ(scores.layers[0].score, 0);
  EXPECT_GT(scores.layers[1].score, 0);
  EXPECT_THAT(observer.messages, testing::Contains(testing::HasSubstr("no influence")));
  options.outputs_glob = "c*";
  EXPECT_THROW(run(model, gaussian_samples("x", {1, 32}, 4), options), Error);
}

TEST(Engine, PerturbsWeightsInsideControlFlow) {
  const auto proto = testing_models::parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[N,32] x) => (float[N,24] y) {
      total = ReduceSum(x)
      zero = Constant <value = float {0}> ()
      positive = Greater(total, zero)
      y = If (positive) <
        then_branch = yes () => (float[N,24] a) { a = MatMul(x, w1) },
        else_branch = no () => (float[N,24] b) { b = MatMul(x, w2) }>
    })",
                                           {{"w1", {32, 24}, 0.2F}, {"w2", {32, 24}, 0.2F}});
  const Model model = load(proto);
  const Samples samples = gaussian_samples("x", {1, 32}, 8);
  AnalyzeOptions options = fixed(8);
  const Sensitivity scores = run(model, samples, options);
  for (const LayerSensitivity& layer : scores.layers) {
    const auto weight = layer.layer.weight == "w1" ? model.weight(0) : model.weight(1);
    const auto stored = quant::stored_values(weight, layer.layer, kCandidates[1]);
    double sum = 0;
    for (std::size_t s = 0; s < 8; ++s) {
      sum += divergence(run_baked(proto, layer.layer.weight, weight, samples[s]),
                        run_baked(proto, layer.layer.weight, stored, samples[s])) /
             8;
    }
    EXPECT_NEAR(layer.score, sum, 1e-4 * sum + 1e-12);
  }
  EXPECT_EQ(scores.layers.size() + scores.skipped.size(), model.layers().size());
}

TEST(Engine, ALayerNoSampleUsesIsNotTakenForHarmless) {
  struct Warnings : Observer {
    void warn(const std::string& message, const std::string&) override { messages.push_back(message); }
    std::vector<std::string> messages;
  } observer;
  const auto proto = testing_models::parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[N,32] x) => (float[N,24] y) {
      total = ReduceSumSquare(x)
      zero = Constant <value = float {0}> ()
      always = Greater(total, zero)
      y = If (always) <
        then_branch = yes () => (float[N,24] a) { a = MatMul(x, w1) },
        else_branch = no () => (float[N,24] b) { b = MatMul(x, w2) }>
    })",
                                           {{"w1", {32, 24}, 0.2F}, {"w2", {32, 24}, 0.2F}});
  const Model model = load(proto);
  const Sensitivity scores = run(model, gaussian_samples("x", {1, 32}, 4), fixed(4), observer);
  ASSERT_EQ(scores.layers.size(), 2U);
  const bool first_used = scores.layers[0].layer.weight == "w1";
  const LayerSensitivity& used = scores.layers[first_used ? 0 : 1];
  const LayerSensitivity& idle = scores.layers[first_used ? 1 : 0];
  // Weights of one distribution: priced at the median response, the idle layer costs about what the used one does.
  for (std::size_t c = 0; c + 1 < kCandidates.size(); ++c) {
    EXPECT_GT(idle.candidates[c].damage, 0);
    EXPECT_EQ(idle.candidates[c].standard_error, idle.candidates[c].damage);
  }
  EXPECT_NEAR(idle.score / used.score, 1, 0.2);
  EXPECT_THAT(observer.messages, testing::Contains(testing::HasSubstr("never exercise 1 of 2 layers")));
}

/// Cancels once so many pieces are finished.
struct Canceller : Observer {
  explicit Canceller(int after) : left(after) {}
  void progress(const std::string&, double, double, const std::string&) override { --left; }
  bool cancelled() const override { return left <= 0; }
  std::atomic<int> left;
};

TEST(Engine, AnInterruptedRunGoesOnToTheSameBytes) {
  const Model model = load(residual_mlp());
  const Samples samples = gaussian_samples("x", {1, 32}, 16);
  AnalyzeOptions options = fixed(0);
  const std::string uninterrupted = to_json(run(model, samples, options));
  for (const int after : {1, 5, 9}) {
    options.checkpoint_path = testing_models::temporary("resume").string();
    Canceller canceller(after);
    try {
      run(model, samples, options, canceller);
      FAIL() << "not interrupted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
      EXPECT_THAT(error.what(), testing::HasSubstr(options.checkpoint_path));
    }
    EXPECT_TRUE(std::filesystem::exists(options.checkpoint_path));
    AnalysisCost resumed;
    EXPECT_EQ(to_json(run(model, samples, options, silent_observer(), &resumed)), uninterrupted);
    EXPECT_FALSE(std::filesystem::exists(options.checkpoint_path));
  }
}

TEST(Engine, CountsWhatItCost) {
  const Model model = load(residual_mlp());
  AnalysisCost cost;
  const Sensitivity scores = run(model, gaussian_samples("x", {1, 32}, 4), fixed(4), silent_observer(), &cost);
  EXPECT_EQ(cost.trial_runs, scores.trial_runs);
  EXPECT_GT(cost.forward_seconds, 0);
  EXPECT_GT(cost.forward_equivalents, 0);
  EXPECT_GT(cost.seconds, 0);
  EXPECT_GE(cost.full_rerun_equivalents, static_cast<double>(cost.trial_runs));
}

TEST(Engine, RefusesNoSamples) {
  const Model model = load(linear());
  EXPECT_THROW(run(model, Samples({}, {}), fixed(4)), Error);
}

}  // namespace
}  // namespace mpq::perturb
