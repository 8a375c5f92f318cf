#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <future>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "mpq/executor.h"

#include "../unit/profile/plain_profile.h"
#include "runtime/session.h"
#include "support/affinity.h"

// A network divided between the CPU provider and another one. Needs the plugins (scripts/bootstrap brings them for the
// tests; MPQ_TEST_OPENVINO and MPQ_TEST_WEBGPU name others) and, for WebGPU, the Vulkan driver in software that comes
// with chromium. any_device.cpp lets them run on any machine.

namespace mpq {
namespace {

class OtherProvider : public testing::Test {
 protected:
  /// The path in the environment variable, which gets a default; whether a file is there.
  static bool has_plugin(const char* variable, const char* path) {
    setenv(variable, path, 0);
    return std::filesystem::exists(std::getenv(variable));
  }

  void measure(const std::string& devices, ProfileOptions options) {
    options.processors = parse_processors(devices);
    options.repeats = 3;
    profile_ = testing_profiles::plain_profile(model_, samples_, options);
    ASSERT_TRUE(profile_.processors[1].present()) << profile_.processors[1].absent;
    const runtime::Session session(model_);
    for (std::size_t i = 0; i < samples_.size(); ++i) expected_.push_back(session.run(samples_[i]).front());
  }

  int segments() const { return static_cast<int>(profile_.segments.size()); }

  /// The first `cut` segments on one processor, the rest on another.
  Placement divided(int cut, int first, int second, const std::string& precision = {}) const {
    Placement placement;
    Lane& lane = placement.lanes.emplace_back();
    for (int s = 0; s < segments(); ++s) {
      if (s == 0 || s == cut) lane.subnets.push_back({{}, {s < cut ? first : second}, {}, 0});
      lane.subnets.back().segments.push_back(s);
    }
    lane.in_flight = 4;
    return priced(profile_, placement, precision);
  }

  /// The largest difference of an output from the CPU provider's float session, relative to the largest output.
  double worst_difference(Executor& executor) const {
    std::vector<std::future<Feed>> answers;
    for (std::size_t i = 0; i < samples_.size(); ++i) answers.push_back(executor.submit(samples_[i]));
    double difference = 0, size = 0;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const Feed outputs = answers[i].get();
      const auto found = outputs.begin()->second.as<float>(), wanted = expected_[i].as<float>();
      EXPECT_EQ(found.size(), wanted.size());
      for (std::size_t k = 0; k < wanted.size(); ++k) {
        difference = std::max(difference, static_cast<double>(std::abs(found[k] - wanted[k])));
        size = std::max(size, static_cast<double>(std::abs(wanted[k])));
      }
    }
    return difference / size;
  }

  void expect_both_work(int cut, int first) {
    Executor executor(model_, profile_, divided(cut, first, 1 - first));
    EXPECT_LT(worst_difference(executor), 1e-5) << "cut " << cut << ", first on " << first;
    for (const ProcessorHealth& health : executor.health()) {
      EXPECT_EQ(health.lost, "");
      EXPECT_GT(health.runs, 0);
    }
  }

  const std::string first_core_ = "cpu:" + std::to_string(available_cores().front());
  const Model model_ = Model::load(MPQ_MODELS "/digits/model.onnx");
  const Samples samples_ = Samples::synthetic(model_, 12, 1);
  Profile profile_;
  std::vector<Tensor> expected_;
};

class OpenVino : public OtherProvider {
 protected:
  void SetUp() override {
    if (!has_plugin("MPQ_TEST_OPENVINO", MPQ_OPENVINO_PLUGIN)) GTEST_SKIP() << "the OpenVINO plugin is not there";
    ProfileOptions options;
    options.precisions = {"float32", "bfloat16"};
    options.openvino_library = MPQ_OPENVINO_ANY_CPU;
    measure(first_core_ + ",openvino:cpu@" + std::to_string(available_cores().back()), options);
  }
};

TEST_F(OpenVino, TakesOverAtAnyCut) {
  for (int cut = 1; cut < segments(); ++cut) {
    for (const int first : {0, 1}) expect_both_work(cut, first);
  }
}

TEST_F(OpenVino, ComputesInBfloat16WhereItIsAskedTo) {
  const auto& precisions = profile_.processors[1].precisions;
  if (std::find(precisions.begin(), precisions.end(), "bfloat16") == precisions.end())
    GTEST_SKIP() << "the processor has no bfloat16";
  ExecutorOptions options;
  options.precision = "bfloat16";
  Executor executor(model_, profile_, divided(0, 1, 1, "bfloat16"), options);
  const double difference = worst_difference(executor);
  EXPECT_GT(difference, 1e-5) << "it computed in float32";
  EXPECT_LT(difference, 5e-2);
}

class WebGpu : public OtherProvider {
 protected:
  void SetUp() override {
    if (!has_plugin("MPQ_TEST_WEBGPU", MPQ_WEBGPU_PLUGIN)) GTEST_SKIP() << "the WebGPU plugin is not there";
    // The provider asks for the Vulkan loader by its name alone, and gets this one.
    setenv("VK_ICD_FILENAMES", "/usr/lib/chromium/vk_swiftshader_icd.json", 0);
    if (!std::filesystem::exists(std::getenv("VK_ICD_FILENAMES")) ||
        dlopen("/usr/lib/chromium/libvulkan.so.1", RTLD_NOW | RTLD_GLOBAL) == nullptr)
      GTEST_SKIP() << "chromium's Vulkan driver in software is not there";
    ProfileOptions options;
    options.precisions = {"float32"};
    options.webgpu_library = MPQ_WEBGPU_ANY_GPU;
    measure(first_core_ + ",webgpu", options);
  }
};

TEST_F(WebGpu, TakesOverInTheMiddle) {
  for (const int first : {0, 1}) expect_both_work(segments() / 2, first);
}

}  // namespace
}  // namespace mpq
