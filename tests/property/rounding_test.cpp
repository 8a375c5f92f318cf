#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>

#include <gtest/gtest.h>

#include "mpq/mpq.h"

namespace mpq {
namespace {

const std::string kDigits = std::string(MPQ_MODELS) + "/digits/";

/// The digits model at one width everywhere.
class RoundingTest : public ::testing::TestWithParam<int> {
 protected:
  PipelineOptions options(const std::string& rounding, int threads = 1) const {
    PipelineOptions options;
    options.budgets = {Budget::parse(std::to_string(GetParam()) + ".5bit")};
    options.analyze.bits = {GetParam()};
    options.analyze.trials = 1;
    options.analyze.place = "local";
    options.analyze.threads = options.quantize.threads = options.verify.threads = threads;
    options.allocate.uniform = true;
    options.allocate.compute = "float";
    options.quantize.rounding = rounding;
    options.calibration = Samples::open(kDigits + "calibration.npz", model_, {.limit = 32, .image_preset = {}});
    options.evaluation = Samples::open(kDigits + "evaluation.npz", model_);
    return options;
  }
  PipelineResult run(const PipelineOptions& options) const { return run_pipeline(model_, options).front(); }

  static std::string file_of(const PipelineResult& result) {
    const auto path = std::filesystem::temp_directory_path() / ("mpq_rounding_" + std::to_string(::getpid()) + ".onnx");
    result.quantized->save(path.string());
    std::ifstream file(path, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    std::filesystem::remove(path);
    return bytes;
  }

  const Model model_ = Model::load(kDigits + "model.onnx");
};

TEST_P(RoundingTest, StatisticsOfTheInputsHalveTheDamageInTheSameBytes) {
  const PipelineResult nearest = run(options("nearest")), second = run(options("auto"));
  EXPECT_EQ(nearest.record.plan->rounding, "nearest");
  EXPECT_NE(second.record.plan->rounding, "nearest");
  EXPECT_EQ(second.quantized->bytes(), nearest.quantized->bytes());
  EXPECT_LT(second.record.verification->damage, .5 * nearest.record.verification->damage);
}

TEST_P(RoundingTest, ThreadsDoNotMatter) {
  EXPECT_EQ(file_of(run(options("second-order", 1))), file_of(run(options("second-order", 3))));
}

TEST_P(RoundingTest, ADryRunKnowsTheSize) {
  PipelineOptions dry = options("auto");
  dry.dry_run = true;
  const auto written = file_of(run(options("auto"))).size();
  EXPECT_EQ(run(dry).record.plan->file_bytes, static_cast<std::int64_t>(written));
}

TEST_P(RoundingTest, ThePlainBaselineRoundsToNearest) {
  PipelineOptions plain = options("auto");
  plain.analyze.scale_fit = "minmax";
  EXPECT_EQ(run(plain).record.plan->rounding, "nearest");
}

TEST_P(RoundingTest, WithoutDataErrorsCancelInTheSameBytes) {
  PipelineOptions synthetic = options("auto");
  synthetic.calibration.reset();
  const PipelineResult found = run(synthetic);
  EXPECT_EQ(found.record.plan->rounding, "data-free");
  synthetic.quantize.rounding = "nearest";
  const PipelineResult nearest = run(synthetic);
  EXPECT_EQ(found.quantized->bytes(), nearest.quantized->bytes());
  EXPECT_LT(found.record.verification->damage, .9 * nearest.record.verification->damage);
}

TEST_P(RoundingTest, WithoutDataThreadsDoNotMatter) {
  PipelineOptions one = options("auto", 1), three = options("auto", 3);
  one.calibration.reset();
  three.calibration.reset();
  EXPECT_EQ(file_of(run(one)), file_of(run(three)));
}

INSTANTIATE_TEST_SUITE_P(Bits, RoundingTest, ::testing::Values(3, 4));

}  // namespace
}  // namespace mpq
