#include "analyze/runner.h"

#include <gtest/gtest.h>

#include "analyze/capture.h"
#include "fixtures.h"

namespace mpq::perturb {
namespace {

class RunnerTest : public testing::Test {
 protected:
  RunnerTest() {
    options_.trials = 3;
    const std::vector<std::vector<Candidate>> candidates(3, {{4, "grid", 0}, {32, "float", 0}});
    experiment_ =
        std::make_unique<Experiment>(make_experiment(model_, samples_, candidates, options_, silent_observer()));
    for (std::size_t task = 0; task < 3; ++task) group_.tasks.push_back(task);
    CostMeter cost;
    captured_ = capture(*experiment_, group_, {0, 3}, cost);
  }

  std::vector<TrialFeed> feeds() const {
    std::vector<TrialFeed> result;
    for (std::size_t k = 0; k < 3; ++k) {
      const std::size_t sample = experiment_->sample_of(k);
      result.push_back({&samples_[sample], &captured_.at(sample)});
    }
    return result;
  }

  static double distance(const Tensor& a, const Tensor& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.as<float>().size(); ++i) sum += std::abs(a.as<float>()[i] - b.as<float>()[i]);
    return sum;
  }

  const Model model_ = testing_models::load(testing_models::residual_mlp());
  const Samples samples_ = testing_models::gaussian_samples("x", {1, 32}, 3);
  AnalyzeOptions options_;
  std::unique_ptr<Experiment> experiment_;
  CaptureGroup group_;
  Captured captured_;
};

// The canary for the trick everything rests on: the next run must see what was written into the buffer.
TEST_F(RunnerTest, TheNextRunSeesTheWeightWrittenInPlace) {
  for (const Task& task : experiment_->tasks) {
    const auto runner = make_cut_runner(*experiment_, task, feeds());
    const std::vector<float> weight = model_.weight(task.layer);
    std::vector<float> changed = weight;
    for (float& value : changed) value *= 1.5F;
    for (std::size_t k = 0; k < 3; ++k) {
      const Tensor& original = captured_.at(experiment_->sample_of(k)).at("y");
      runner->set_weight(weight);
      EXPECT_NEAR(distance(runner->run(k).at("y"), original), 0, 1e-5);
      runner->set_weight(changed);
      EXPECT_GT(distance(runner->run(k).at("y"), original), 0.1);
      runner->set_weight(weight);
      EXPECT_NEAR(distance(runner->run(k).at("y"), original), 0, 1e-5);
    }
  }
}

TEST_F(RunnerTest, BakedAndCutRunsAgree) {
  for (const Task& task : experiment_->tasks) {
    const auto cut = make_cut_runner(*experiment_, task, feeds());
    const auto baked = make_baked_runner(*experiment_, task, feeds());
    const auto stored = quant::stored_values(model_.weight(task.layer), experiment_->layer_of(task), {3, "grid", 0});
    cut->set_weight(stored);
    baked->set_weight(stored);
    for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(distance(cut->run(k).at("y"), baked->run(k).at("y")), 0, 1e-5);
  }
}

TEST_F(RunnerTest, OnlyThePartBehindTheLayerIsFed) {
  const Task& last = experiment_->tasks[2];
  EXPECT_EQ(last.boundary, std::vector<std::string>{"s"});
  const Task& middle = experiment_->tasks[1];
  EXPECT_EQ(middle.boundary, std::vector<std::string>{"r1"}) << "the residual is the same value";
}

}  // namespace
}  // namespace mpq::perturb
