#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/text.h"

namespace mpq {
namespace {

using Names = std::vector<std::string>;
using testing::ElementsAre;

/// As exporters name a transformer.
Names transformer(int layers) {
  Names names = {"/bert/embeddings/word_embeddings/Gather"};
  for (int i = 0; i < layers; ++i) {
    const std::string layer = "/bert/encoder/layer." + std::to_string(i);
    for (const char* part : {"query", "key", "value"}) names.push_back(layer + "/attention/self/" + part + "/MatMul");
    for (const char* part : {"attention/output", "intermediate", "output"})
      names.push_back(layer + '/' + part + "/dense/MatMul");
  }
  return names;
}

TEST(ShortNames, WhatFitsStaysAsItIs) {
  EXPECT_THAT(shorten_names({"/a/Conv", "/b/Conv"}, 7), ElementsAre("/a/Conv", "/b/Conv"));
  EXPECT_TRUE(shorten_names({}, 7).empty());
}

TEST(ShortNames, SharedSegmentsGiveWayFirst) {
  EXPECT_THAT(shorten_names({"/model/encoder/stem/conv/Conv", "/model/encoder/head/conv/Conv"}, 16, "~"),
              ElementsAre("~/stem/conv/Conv", "~/head/conv/Conv"));
  EXPECT_THAT(shorten_names({"model.layers.10.mlp.weight", "model.layers.11.mlp.weight"}, 8, "~"),
              ElementsAre("~.10~", "~.11~"));
}

TEST(ShortNames, LayersOfATransformerStayApart) {
  const Names names = transformer(12);
  for (const std::size_t cells : {20U, 24U, 28U}) {
    const Names shown = shorten_names(names, cells, "~");
    EXPECT_EQ(std::set<std::string>(shown.begin(), shown.end()).size(), names.size()) << cells;
    for (const std::string& name : shown) EXPECT_LE(display_width(name), cells);
  }
  EXPECT_EQ(shorten_names(names, 28, "~")[1], "~/layer.0~/self/query~");
}

TEST(ShortNames, NumbersOutliveWords) {
  EXPECT_THAT(
      shorten_names({"/block1/pointwise/Conv", "/block2/pointwise/Conv", "/block1/depthwise/Conv", "/Conv"}, 14, "~"),
      ElementsAre("/block1/p~ise~", "/block2~", "~/depthwise~", "/Conv"));
}

TEST(ShortNames, AGapStandsForSomething) {
  EXPECT_THAT(shorten_names({"/encoder/layer.0/output/dense", "/encoder/layer.0/attention/output/dense"}, 18, "~"),
              ElementsAre("~/layer.0/output~", "~/attention~/dense"));
}

TEST(ShortNames, NamesOfManySegmentsAreNoTrap) {
  Names names;
  for (int i = 0; i < 50; ++i) names.push_back(std::string(20'000, '/') + std::to_string(i));
  for (const std::string& name : shorten_names(names, 10, "~")) EXPECT_LE(display_width(name), 10U);
}

TEST(ShortNames, EqualNamesAndNamesWithinNamesAreShownToo) {
  const Names shown = shorten_names({"/long/name/of/a", "/long/name/of/a", "/long/name/of/a/b", "/a"}, 8, "~");
  EXPECT_EQ(shown[0], shown[1]);
  for (const std::string& name : shown) EXPECT_LE(display_width(name), 8U);
  EXPECT_EQ(shown[3], "/a");
}

TEST(ShortNames, ANameWithoutSegmentsIsCutInItsMiddle) {
  EXPECT_THAT(shorten_names({"abcdefghij"}, 5, "~"), ElementsAre("ab~ij"));
}

}  // namespace
}  // namespace mpq
