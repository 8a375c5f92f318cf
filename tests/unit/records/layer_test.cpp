#include "mpq/layer.h"

#include <gtest/gtest.h>

#include "mpq/error.h"

namespace mpq {
namespace {

Layer layer_of(std::vector<std::int64_t> shape, std::vector<int> channel_axes, int block_axis) {
  Layer layer;
  layer.name = "layer";
  layer.dtype = "float32";
  layer.shape = std::move(shape);
  layer.parameters = 1;
  for (const std::int64_t extent : layer.shape) layer.parameters *= extent;
  layer.channel_axes = std::move(channel_axes);
  layer.block_axis = block_axis;
  return layer;
}

TEST(CandidateText, RoundTrips) {
  for (const std::string text : {"2bit", "3bit", "8bit", "4bit/b32", "5bit/b128", "2bit/trellis", "6bit/trellis",
                                 "3bit/rows", "2.5bit/rows", "half", "float"})
    EXPECT_EQ(to_string(parse_candidate(text)), text);
  EXPECT_EQ(parse_candidate("4bit/b32"), (Candidate{4, "grid", 32}));
  EXPECT_EQ(parse_candidate("6bit"), (Candidate{6, "grid", 0}));
  EXPECT_EQ(parse_candidate("5bit/trellis"), (Candidate{5, "trellis", 0}));
  EXPECT_EQ(to_string(Candidate{2, "trellis", 0}), "2bit/trellis");
  EXPECT_EQ(to_string(row_candidate({2, 2, 3, 4, 2, 2, 3, 3})), "2.6bit/rows");  // mean 2.625
  EXPECT_EQ(parse_candidate("2.6bit/rows").row_tenths, 26);
  EXPECT_EQ(parse_candidate("2.6bit/rows").bits, 3);
  EXPECT_EQ(parse_candidate("16bit"), (Candidate{16, "half", 0}));
  EXPECT_EQ(parse_candidate("32bit"), (Candidate{32, "float", 0}));
  EXPECT_EQ(Candidate{}, parse_candidate("float"));
}

TEST(CandidateText, RefusesWhatCannotBeStored) {
  for (const std::string text : {"",
                                 "4",
                                 "bit",
                                 "1bit",
                                 "9bit",
                                 "17bit",
                                 "-4bit",
                                 "4.5bit",
                                 "4bits",
                                 "4bit/",
                                 "4bit/b",
                                 "4bit/b0",
                                 "4bit/b-32",
                                 "4bit/32",
                                 "4bit/b32x",
                                 "04bit",
                                 "+4bit",
                                 " 4bit",
                                 "Half",
                                 "99999999999bit",
                                 "7bit/trellis",
                                 "1bit/trellis",
                                 "03bit/trellis",
                                 "3bit/trellises",
                                 "1.4bit/rows",
                                 "8.6bit/rows",
                                 "3.25bit/rows",
                                 "3.0bit/rows",
                                 "3.bit/rows",
                                 ".5bit/rows",
                                 "03bit/rows"}) {
    try {
      parse_candidate(text);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage) << text;
      EXPECT_NE(error.hint(), "") << text;
    }
  }
}

TEST(StoredBytes, OfFloatsFollowsTheElementType) {
  Layer layer = layer_of({3, 5}, {0}, 1);
  EXPECT_EQ(stored_bytes(layer, {32, "float", 0}), 60);
  EXPECT_EQ(stored_bytes(layer, {16, "half", 0}), 30);
  layer.dtype = "float64";
  EXPECT_EQ(stored_bytes(layer, {32, "float", 0}), 120);
  layer.dtype = "bfloat16";
  EXPECT_EQ(stored_bytes(layer, {32, "float", 0}), 30);
  layer.dtype = "int8";
  EXPECT_THROW(stored_bytes(layer, {32, "float", 0}), Error);
}

TEST(StoredBytes, OfGridsCountsWholeGroupsAndScales) {
  // 3 x 5 = 15 numbers fill two groups of eight; one scale of 2 bytes for each of 3 channels.
  const Layer layer = layer_of({3, 5}, {0}, 1);
  for (int bits = 2; bits <= 8; ++bits) EXPECT_EQ(stored_bytes(layer, {bits, "grid", 0}), 2 * bits + 2 * 3);
}

TEST(StoredBytes, OfBlocksCountsAScalePerBlock) {
  const Layer matmul = layer_of({64, 10}, {1}, 0);
  EXPECT_EQ(stored_bytes(matmul, {4, "grid", 0}), 64 * 10 / 2 + 2 * 10);
  EXPECT_EQ(stored_bytes(matmul, {4, "grid", 32}), 64 * 10 / 2 + 2 * 10 * 2);
  EXPECT_EQ(stored_bytes(matmul, {3, "grid", 16}), 64 * 10 * 3 / 8 + 2 * 10 * 4);
}

TEST(Candidates, OfRowsTellTheirWidths) {
  const Candidate candidate = row_candidate({5, 2, 3, 3});
  EXPECT_TRUE(candidate.has_row_widths());
  EXPECT_TRUE(candidate.has_scales());
  EXPECT_EQ(candidate.narrowest(), 2);
  EXPECT_EQ(candidate.widest(), 5);
  EXPECT_EQ(candidate.bits, 3);
  EXPECT_EQ((Candidate{4, "grid", 0}.widest()), 4);
  for (const std::vector<std::uint8_t>& widths :
       {std::vector<std::uint8_t>{}, {3, 3}, {1, 3}, {3, 9}, {2, 3, 4, 5, 6}}) {
    EXPECT_THROW(row_candidate(widths), Error);
  }
}

TEST(StoredBytes, OfRowsOfSeveralWidths) {
  // Rows along axis 0: 3 rows of 2 bits (15 numbers, two groups of eight), 5 of 4 bits (25, four groups), two
  // bits for each of 8 rows, and their scales.
  const Layer layer = layer_of({8, 5}, {0}, 1);
  EXPECT_EQ(stored_bytes(layer, row_candidate({2, 4, 4, 2, 4, 4, 2, 4})), 2 * 2 + 4 * 4 + 2 + 2 * 8);
  EXPECT_THROW(stored_bytes(layer, row_candidate({2, 4, 4})), Error);
  EXPECT_THROW(stored_bytes(layer, parse_candidate("3bit/rows")), Error);
}

TEST(StoredBytes, OfBatchedProductsHasScalesPerBatchAndChannel) {
  EXPECT_EQ(stored_bytes(layer_of({4, 16, 8}, {0, 2}, 1), {8, "grid", 0}), 512 + 2 * 4 * 8);
}

TEST(StoredBytes, OfAWeightWithoutChannelsHasOneScale) {
  EXPECT_EQ(stored_bytes(layer_of({9}, {}, -1), {2, "grid", 0}), 4 + 2);
}

TEST(StoredBytes, RefusesBlocksThatDoNotFit) {
  EXPECT_THROW(stored_bytes(layer_of({60, 10}, {1}, 0), {4, "grid", 32}), Error);
  EXPECT_THROW(stored_bytes(layer_of({60, 10}, {1}, -1), {4, "grid", 20}), Error);
  EXPECT_THROW(stored_bytes(layer_of({60, 10}, {2}, 0), {4, "grid", 0}), Error);
  EXPECT_THROW(stored_bytes(layer_of({60, 10}, {1}, 0), {4, "waffle", 0}), Error);
}

}  // namespace
}  // namespace mpq
