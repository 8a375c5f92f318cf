#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"
#include "mpq/samples.h"

#include "models.h"

namespace mpq::data::testing {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Model embedding_model() {
  return model_with(
      "g (int64[1,400] ids, float[1,400] x) => (float[1,400,4] y, float[1,400] z) "
      "{ y = Gather(t, ids)  z = Identity(x) }",
      {{"t", {10, 4}}});
}

std::string hash(const Model& model, std::int64_t count, std::uint64_t seed) {
  return Samples::synthetic(model, count, seed).facts().sha256;
}

TEST(Synthetic, EqualSeedsGiveEqualSamples) {
  const Model model = embedding_model();
  EXPECT_EQ(hash(model, 3, 7), hash(model, 3, 7));
  EXPECT_NE(hash(model, 3, 7), hash(model, 3, 8));
  const Samples samples = Samples::synthetic(model, 2, 7);
  EXPECT_FALSE(std::ranges::equal(samples[0].at("x").as<float>(), samples[1].at("x").as<float>()));
}

TEST(Synthetic, ASampleDoesNotDependOnHowManyThereAre) {
  const Model model = embedding_model();
  EXPECT_EQ(Samples::synthetic(model, 5, 1).slice(0, 2).facts().sha256, hash(model, 2, 1));
}

TEST(Synthetic, SaysWhatItIs) {
  const Samples samples = Samples::synthetic(embedding_model(), 4, 0);
  EXPECT_EQ(samples.size(), 4U);
  EXPECT_TRUE(samples.facts().synthetic);
  EXPECT_EQ(samples.facts().source, "synthetic");
  EXPECT_EQ(samples.facts().samples, 4);
}

TEST(Synthetic, FloatsAreNormalWithinThreeDeviations) {
  const Samples samples = Samples::synthetic(embedding_model(), 25, 3);
  double sum = 0, squares = 0, largest = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    for (const double value : samples[i].at("x").as<float>()) {
      sum += value, squares += value * value, largest = std::max(largest, std::fabs(value));
    }
  }
  EXPECT_NEAR(sum / 10000, 0, 0.05);
  EXPECT_NEAR(squares / 10000, 1, 0.06);
  EXPECT_LE(largest, 3);
  EXPECT_GT(largest, 2.5);
}

TEST(Synthetic, IndicesReachEveryRowAndNoFurther) {
  const Samples samples = Samples::synthetic(embedding_model(), 1, 3);
  const auto ids = samples[0].at("ids").as<std::int64_t>();
  EXPECT_THAT(std::set<std::int64_t>(ids.begin(), ids.end()), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST(Synthetic, IndicesStayWithinTheirType) {
  const Model model = model_with("g (int8[1,400] x) => (float[1,400,2] y) { i = Cast<to = 7>(x)  y = Gather(t, i) }",
                                 {{"t", {1000, 2}}});
  const Samples samples = Samples::synthetic(model, 1, 3);
  const auto ids = samples[0].at("x").as<std::int8_t>();
  EXPECT_GE(*std::min_element(ids.begin(), ids.end()), 0);
  EXPECT_GT(*std::max_element(ids.begin(), ids.end()), 100);
}

TEST(Synthetic, MasksAndLengthsAreOne) {
  const Model model = model_with(R"(g (int64[1,5] mask, bool[1,5] on, int32[2] lengths, uint8[3] bytes)
      => (int64[1,5] a, bool[1,5] b, int32[2] c, uint8[3] d)
      { a = Identity(mask)  b = Not(on)  c = Identity(lengths)  d = Identity(bytes) })");
  const Samples samples = Samples::synthetic(model, 1, 3);
  EXPECT_THAT(samples[0].at("mask").as<std::int64_t>(), Each(1));
  EXPECT_THAT(samples[0].at("on").as<std::uint8_t>(), Each(1));
  EXPECT_THAT(samples[0].at("lengths").as<std::int32_t>(), ElementsAre(1, 1));
  EXPECT_THAT(samples[0].at("bytes").as<std::uint8_t>(), ElementsAre(1, 1, 1));
}

TEST(Synthetic, AModeIsOneTheModelAsksFor) {
  const Model model =
      model_with("g (int64 rate) => (bool y) { k = Constant<value = int64 {16000}>()  y = Equal(rate, k) }");
  EXPECT_THAT(Samples::synthetic(model, 1, 3)[0].at("rate").as<std::int64_t>(), ElementsAre(16000));
}

TEST(Synthetic, NumbersArePositiveWhereOthersLeadToNone) {
  // The mean of logarithms is a number only if none of them is of a negative number.
  const Samples positive =
      Samples::synthetic(model_with("g (float[1,50] x) => (float[1,1] y) { l = Log(x)  y = ReduceMean(l) }"), 2, 1);
  EXPECT_GT(std::ranges::min(positive[1].at("x").as<float>()), 0);
  // Where neither helps they stay as they are.
  const Samples samples =
      Samples::synthetic(model_with("g (float[1,50] x) => (float[1,50] y) { s = Sub(x, x)  y = Div(s, s) }"), 1, 1);
  EXPECT_LT(std::ranges::min(samples[0].at("x").as<float>()), 0);
}

TEST(Synthetic, FreeExtentsAreThoseTheModelRunsWith) {
  const Model model = model_with(R"(g (float[N,L] x) => (float[A,B] y) {
    s = Constant<value = int64[2] {8, 16}>()
    y = Reshape(x, s)
  })");
  EXPECT_THAT(Samples::synthetic(model, 1, 3)[0].at("x").shape(), ElementsAre(1, 128));
}

TEST(Synthetic, AStateMayHoldOneSequenceThoughTheSignalIsLong) {
  const Model model = model_with(R"(g (float[N,L] x, float[2,B,4] state) => (float[A] y, float[C,D] z) {
    flat = Constant<value = int64[1] {8}>()
    blocks = Constant<value = int64[2] {-1, 32}>()
    y = Reshape(state, flat)
    z = Reshape(x, blocks)
  })");
  const Feed feed = Samples::synthetic(model, 1, 3)[0];
  EXPECT_THAT(feed.at("state").shape(), ElementsAre(2, 1, 4));
  EXPECT_EQ(feed.at("x").shape()[1] % 32, 0);
}

TEST(Synthetic, HalvesAreMadeUpToo) {
  const Model model = model_with("g (float16[1,8] x) => (float16[1,8] y) { y = Identity(x) }");
  EXPECT_EQ(Samples::synthetic(model, 1, 3)[0].at("x").type(), DType::kFloat16);
}

TEST(Synthetic, TheOnlyGuessIsTriedToo) {
  const Model model = model_with(R"(g (float[N,8] x) => (float[A,B] y) {
    s = Constant<value = int64[2] {7, 11}>()
    y = Reshape(x, s)
  })");
  EXPECT_THAT([&] { Samples::synthetic(model, 1, 3); },
              ::testing::ThrowsMessage<Error>(HasSubstr("No inputs could be made up with which the model runs.")));
}

TEST(Synthetic, SaysSoWhereTheModelRunsWithNothing) {
  const Model model = model_with(R"(g (float[N,L] x) => (float[A,B] y) {
    s = Constant<value = int64[2] {7, 11}>()
    y = Reshape(x, s)
  })");
  try {
    Samples::synthetic(model, 1, 3);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    EXPECT_THAT(error.what(), HasSubstr("No inputs could be made up with which the model runs."));
    EXPECT_THAT(error.hint(), HasSubstr("--calibration"));
  }
}

TEST(Synthetic, DoesNotInventText) {
  const Model model = model_with("g (string[1] x) => (string[1] y) { y = Identity(x) }");
  try {
    Samples::synthetic(model, 1, 3);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_THAT(error.what(), HasSubstr("'x' takes strings"));
  }
}

}  // namespace
}  // namespace mpq::data::testing
