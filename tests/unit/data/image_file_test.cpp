#include "data/image_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mpq::data {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::FloatNear;
using testing::Pointwise;

Image grey(int width, int height, std::vector<float> values) { return {width, height, 1, std::move(values)}; }

TEST(Resize, KeepsWhatHasTheSizeAlready) {
  EXPECT_THAT(resize(grey(2, 2, {1, 2, 3, 4}), 2, 2).values, ElementsAre(1, 2, 3, 4));
}

// Pixel centres lie at half positions: of four pixels made of two, the inner ones lie a quarter of the way.
TEST(Resize, EnlargesBetweenCentres) {
  EXPECT_THAT(resize(grey(2, 1, {0, 100}), 4, 1).values, ElementsAre(0, FloatEq(25), FloatEq(75), 100));
  EXPECT_THAT(resize(grey(1, 2, {0, 100}), 1, 4).values, ElementsAre(0, FloatEq(25), FloatEq(75), 100));
}

// The triangle of half-width 2 around 1: weights 3/4, 3/4, 1/4 of pixels 0, 1, 2, scaled to a sum of 1.
TEST(Resize, ShrinksOverAllPixels) {
  EXPECT_THAT(resize(grey(4, 1, {7, 14, 28, 56}), 2, 1).values, ElementsAre(FloatEq(13), FloatEq(38)));
  EXPECT_THAT(resize(grey(1, 4, {7, 14, 28, 56}), 1, 2).values, ElementsAre(FloatEq(13), FloatEq(38)));
}

TEST(Resize, AFlatImageStaysFlat) {
  for (const auto& [width, height] : {std::pair{1, 1}, {3, 7}, {64, 2}}) {
    const Image image = resize(grey(5, 4, std::vector<float>(20, 93)), width, height);
    EXPECT_EQ(image.width, width);
    EXPECT_EQ(image.height, height);
    EXPECT_THAT(image.values,
                Pointwise(FloatNear(1e-4F), std::vector<float>(static_cast<std::size_t>(width * height), 93)));
  }
}

TEST(Resize, ChannelsDoNotMix) {
  const Image image = resize({2, 1, 3, {0, 100, 10, 40, 100, 30}}, 4, 1);
  EXPECT_THAT(image.values,
              ElementsAre(0, 100, 10, FloatEq(10), 100, FloatEq(15), FloatEq(30), 100, FloatEq(25), 40, 100, 30));
}

TEST(Resize, BothAxesAtOnce) {
  EXPECT_THAT(resize(grey(2, 2, {0, 100, 200, 40}), 1, 1).values, ElementsAre(FloatEq(85)));
}

}  // namespace
}  // namespace mpq::data
