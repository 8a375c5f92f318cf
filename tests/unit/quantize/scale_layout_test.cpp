#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "layers.h"
#include "quantize/grid.h"

namespace mpq::quant {
namespace {

using testing::ElementsAre;

TEST(ScaleLayout, OneScalePerOutputChannelOfAConvolution) {
  const ScaleLayout layout = scale_layout(test_layer({8, 3, 5, 5}, {0}), grid(4));
  EXPECT_THAT(layout.view_shape, ElementsAre(8, 3, 5, 5));
  EXPECT_THAT(layout.scale_shape, ElementsAre(8, 1, 1, 1));
  EXPECT_EQ(layout.scale_count(), 8);
}

TEST(ScaleLayout, BatchedProductKeepsItsBatchAxes) {
  const ScaleLayout layout = scale_layout(test_layer({2, 64, 10}, {0, 2}), grid(4));
  EXPECT_THAT(layout.scale_shape, ElementsAre(2, 1, 10));
}

TEST(ScaleLayout, BlocksSplitTheirAxis) {
  const ScaleLayout layout = scale_layout(test_layer({64, 10}, {1}, 0), grid(4, 32));
  EXPECT_THAT(layout.view_shape, ElementsAre(2, 32, 10));
  EXPECT_THAT(layout.scale_shape, ElementsAre(2, 1, 10));
  EXPECT_EQ(layout.scale_count(), 20);
}

TEST(ScaleLayout, NoChannelAxesMeansOneScale) {
  EXPECT_EQ(scale_layout(test_layer({64, 10}, {}), grid(4)).scale_count(), 1);
}

TEST(ScaleLayout, CountsTheScalesThePlansCount) {
  const Layer layer = test_layer({64, 10}, {1}, 0);
  EXPECT_EQ(stored_bytes(layer, grid(4, 32)), 64 * 10 / 2 + 2 * scale_layout(layer, grid(4, 32)).scale_count());
}

TEST(ScaleLayout, RefusesWhatDoesNotFit) {
  EXPECT_THROW(scale_layout(test_layer({60, 10}, {1}, 0), grid(4, 32)), Error);
  EXPECT_THROW(scale_layout(test_layer({64, 10}, {1}), grid(4, 32)), Error);
  EXPECT_THROW(scale_layout(test_layer({64, 10}, {0}, 0), grid(4, 32)), Error);
  EXPECT_THROW(scale_layout(test_layer({64, 10}, {2}), grid(4)), Error);
  EXPECT_THROW(scale_layout(test_layer({64, 10}, {1}), {16, "half", 0}), Error);
}

}  // namespace
}  // namespace mpq::quant
