#include <gtest/gtest.h>

#include "mpq/error.h"
#include "mpq/profile.h"

#include "profile/subnet.h"

namespace mpq {
namespace {

TEST(ParseProcessor, CoresOfTheCpu) {
  EXPECT_EQ(parse_processor("cpu").cores, std::vector<int>{});
  EXPECT_EQ(parse_processor("cpu:2").cores, (std::vector<int>{2}));
  EXPECT_EQ(parse_processor("cpu:0-2").cores, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(parse_processor("cpu:4+0-1").cores, (std::vector<int>{0, 1, 4}));
  EXPECT_EQ(parse_processor("cpu:1x2.5").slowdown, 2.5);
}

TEST(ParseProcessor, DevicesOfOtherProviders) {
  const Processor openvino = parse_processor("openvino:cpu@1-2");
  EXPECT_EQ(openvino.provider, "openvino");
  EXPECT_EQ(openvino.device, "cpu");
  EXPECT_EQ(openvino.cores, (std::vector<int>{1, 2}));
  EXPECT_EQ(parse_processor("openvino").device, "cpu");
  EXPECT_EQ(parse_processor("cuda:1").device, "1");
  EXPECT_EQ(parse_processor("webgpu").provider, "webgpu");
}

TEST(ParseProcessor, RefusesWhatIsNone) {
  for (const char* text : {"", "gpu", "cpu:", "cpu:-1", "cpu:3-1", "cpu:a", "cpu:0-1-2", "cpu@0", "cpu:0x0.5", "cpu:0x",
                           "openvino:tpu", "openvino:cpu@", "cuda:x", "webgpu:0", "cpu:99999999999"}) {
    EXPECT_THROW(parse_processor(text), Error) << text;
  }
  EXPECT_THROW(parse_processors("cpu:0,cpu:0"), Error);
  EXPECT_THROW(parse_processors("cpu:0,"), Error);
  EXPECT_EQ(parse_processors("cpu:0,cpu:1,webgpu").size(), 3U);
}

/// The CPU provider pins its other threads to the other cores; others start threads of their own.
TEST(CallingCores, AreTheFirstOfTheCpuProvider) {
  const auto cores = [](const char* text) { return profiling::calling_cores(parse_processor(text)); };
  EXPECT_EQ(cores("cpu:1-3"), std::vector<int>{1});
  EXPECT_EQ(cores("cpu:2"), std::vector<int>{2});
  EXPECT_EQ(cores("cpu"), std::vector<int>{});
  EXPECT_EQ(cores("openvino:cpu@1-2"), (std::vector<int>{1, 2}));
}

}  // namespace
}  // namespace mpq
