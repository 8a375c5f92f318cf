#include "quantize/packing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "layers.h"

namespace mpq::quant {
namespace {

using testing::ElementsAre;
using Values = std::vector<std::int8_t>;

TEST(Packing, Planes) {
  EXPECT_THAT(planes_of(2), ElementsAre(2));
  EXPECT_THAT(planes_of(3), ElementsAre(2, 1));
  EXPECT_THAT(planes_of(4), ElementsAre(4));
  EXPECT_THAT(planes_of(5), ElementsAre(4, 1));
  EXPECT_THAT(planes_of(6), ElementsAre(4, 2));
  EXPECT_THAT(planes_of(7), ElementsAre(4, 2, 1));
  EXPECT_THAT(planes_of(8), ElementsAre(8));
}

// Worked out by hand from the plane layout: u = value + 2^(b-1); plane of p bits over m bytes: byte j holds elements
// j, j + m, j + 2m, ... from its low bits up.
TEST(Packing, KnownAnswers) {
  // u = 0 1 2 3 3 2 1 0; m = 2
  EXPECT_THAT(pack(Values{-2, -1, 0, 1, 1, 0, -1, -2}, 2), ElementsAre(0x78, 0x2d));
  // u = 0 1 2 3 4 5 6 7; high pairs 0 0 1 1 2 2 3 3, low bits 0 1 0 1 0 1 0 1
  EXPECT_THAT(pack(Values{-4, -3, -2, -1, 0, 1, 2, 3}, 3), ElementsAre(0xe4, 0xe4, 0xaa));
  // u = 0 1 8 15 9 10 11 7; m = 4
  EXPECT_THAT(pack(Values{-8, -7, 0, 7, 1, 2, 3, -1}, 4), ElementsAre(0x90, 0xa1, 0xb8, 0x7f));
  // u = 0 15 16 31 21 10 23 8; high nibbles 0 7 8 15 10 5 11 4, low bits 0 1 0 1 1 0 1 0
  EXPECT_THAT(pack(Values{-16, -1, 0, 15, 5, -6, 7, -8}, 5), ElementsAre(0xa0, 0x57, 0xb8, 0x4f, 0x5a));
  // u = 0 63 32 31 42 12 49 37; high nibbles 0 15 8 7 10 3 12 9, low pairs 0 3 0 3 2 0 1 1
  EXPECT_THAT(pack(Values{-32, 31, 0, -1, 10, -20, 17, 5}, 6), ElementsAre(0xa0, 0x3f, 0xc8, 0x97, 0x60, 0x4f));
  // u = 0 127 64 63 84 31 109 57; nibbles 0 15 8 7 10 3 13 7, pairs 0 3 0 3 2 3 2 0, bits 0 1 0 1 0 1 1 1
  EXPECT_THAT(pack(Values{-64, 63, 0, -1, 20, -33, 45, -7}, 7), ElementsAre(0xa0, 0x3f, 0xd8, 0x77, 0xa0, 0x3f, 0xea));
  EXPECT_THAT(pack(Values{-128, 127, 0, -1, 1, 2, 3, 4}, 8),
              ElementsAre(0x00, 0xff, 0x80, 0x7f, 0x81, 0x82, 0x83, 0x84));
}

TEST(Packing, PadsWithZeroBits) {
  // u = 7 0 4, then five zeros
  EXPECT_THAT(pack(Values{3, -4, 0}, 3), ElementsAre(0x0b, 0x00, 0x01));
  EXPECT_THAT(pack(Values{-128}, 8), ElementsAre(0, 0, 0, 0, 0, 0, 0, 0));
  EXPECT_TRUE(pack(Values{}, 5).empty());
}

TEST(Packing, BytesAreThoseOfWholeGroups) {
  EXPECT_EQ(packed_bytes(0, 3), 0);
  EXPECT_EQ(packed_bytes(1, 3), 3);
  EXPECT_EQ(packed_bytes(8, 3), 3);
  EXPECT_EQ(packed_bytes(9, 3), 6);
  EXPECT_EQ(packed_bytes(std::int64_t{1} << 33, 8), std::int64_t{1} << 33);
}

TEST(Packing, AgreesWithTheBytesThePlansCount) {
  for (const int bits : {2, 3, 4, 5, 6, 7, 8}) {
    for (const std::int64_t columns : {1, 7, 24, 33}) {
      const Layer layer = test_layer({5, columns}, {0});
      EXPECT_EQ(packed_bytes(5 * columns, bits) + 2 * 5, stored_bytes(layer, grid(bits))) << bits << " x " << columns;
    }
  }
}

TEST(Packing, RefusesOtherWidthsAndWrongLengths) {
  EXPECT_THROW(pack(Values{0}, 1), Error);
  EXPECT_THROW(pack(Values{0}, 9), Error);
  const std::vector<std::uint8_t> three(3);
  EXPECT_THROW(unpack(three, 3, 9), Error);
  EXPECT_NO_THROW(unpack(three, 3, 8));
}

}  // namespace
}  // namespace mpq::quant
