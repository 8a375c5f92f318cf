#include "encode/planes.h"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "functions.h"
#include "support/random.h"

namespace mpq::encode::testing {
namespace {

using ::testing::ElementsAre;

/// Planes by hand, a bit at a time: element e of n lies at byte e mod m of its plane (m = n p / 8 bytes), p * (e div m)
/// bits up; the planes' bits come from the highest down.
std::vector<std::uint8_t> naive_planes(const std::vector<int>& values, int bits, const std::vector<int>& widths) {
  std::vector<std::uint8_t> packed;
  int above = 0;
  for (const int width : widths) {
    const std::size_t start = packed.size(), m = values.size() * static_cast<std::size_t>(width) / 8;
    packed.resize(start + m);
    for (std::size_t e = 0; e < values.size(); ++e) {
      const int number = values[e] + (1 << (bits - 1));
      for (int bit = 0; bit < width; ++bit) {
        if ((number >> (bits - above - width + bit) & 1) == 0) continue;
        packed[start + e % m] |= static_cast<std::uint8_t>(1 << (static_cast<int>(e / m) * width + bit));
      }
    }
    above += width;
  }
  return packed;
}

std::vector<int> widths_of(int bits) {
  static const std::vector<std::vector<int>> kWidths = {{}, {}, {2}, {2, 1}, {4}, {4, 1}, {4, 2}, {4, 2, 1}, {8}};
  return kWidths[static_cast<std::size_t>(bits)];
}

/// Every number of the width, and then some, in no order.
std::vector<int> mixed_numbers(int bits, std::size_t count) {
  std::vector<int> numbers(count);
  const Philox random(5, static_cast<std::uint64_t>(bits));
  const int range = 1 << bits;
  for (std::size_t i = 0; i < count; ++i) {
    numbers[i] = i < static_cast<std::size_t>(range)
                     ? static_cast<int>(i)
                     : static_cast<int>(random.block(i)[0] % static_cast<unsigned>(range));
    numbers[i] -= range / 2;
  }
  for (std::size_t i = count; i-- > 1;) std::swap(numbers[i], numbers[random.block(i)[1] % (i + 1)]);
  return numbers;
}

class Unpack : public ::testing::TestWithParam<int> {};

TEST_P(Unpack, RestoresTheNumbersInTheirOrder) {
  const int opset = GetParam();
  for (int bits = 2; bits <= 8; ++bits) {
    const std::vector<int> numbers = mixed_numbers(bits, 328);  // 41 groups of 8: no power of two
    FunctionBody body(opset, "F", {"packed"}, "out");
    const std::string flat =
        body.reshape(unpack(body, "packed", bits, unpacked_type(body.opset())), body.constant({-1}));
    const onnx::FunctionProto function = body.finish(body.cast(flat, onnx::TensorProto::INT32));
    const onnx::TensorProto packed = constant("p", naive_planes(numbers, bits, widths_of(bits)));
    const Tensor result = result_of(function, call_of("F", {"p"}), {packed}, onnx::TensorProto::INT32, opset);
    const auto values = result.as<std::int32_t>();
    EXPECT_EQ(std::vector<int>(values.begin(), values.end()), numbers) << bits << " bits";
  }
}

INSTANTIATE_TEST_SUITE_P(EveryDialect, Unpack, ::testing::Values(7, 9, 10, 12, 13, 14, 17, 18, 21));

TEST(PlaneViews, SplitsAWidthIntoItsPlanes) {
  for (int bits = 2; bits <= 8; ++bits) {
    std::vector<int> widths;
    int left = bits;
    for (const Plane& plane : plane_views(bits)) {
      widths.push_back(plane.bits);
      left -= plane.bits;
      EXPECT_EQ(plane.left, left) << bits;
    }
    EXPECT_EQ(widths, widths_of(bits));
    EXPECT_EQ(left, 0);
  }
}

TEST(PlaneViews, ShiftsAndRowsCountEightElements) {
  for (int bits = 2; bits <= 8; ++bits) {
    for (const Plane& plane : plane_views(bits)) {
      const std::int64_t shifts =
          std::accumulate(plane.shift_dims.begin(), plane.shift_dims.end(), std::int64_t{1}, std::multiplies<>());
      EXPECT_EQ(static_cast<std::int64_t>(plane.shifts.size()), shifts);
      EXPECT_EQ(shifts * plane.bits, 8) << bits;
      EXPECT_EQ(plane.shift_dims.back(), 1);
    }
  }
}

// The picture in unpack_bytes.cpp.
TEST(PlaneViews, ThreeBits) {
  const std::vector<Plane> planes = plane_views(3);
  ASSERT_EQ(planes.size(), 2U);
  EXPECT_THAT(planes[0].shifts, ElementsAre(0, 2, 4, 6));
  EXPECT_THAT(planes[0].shift_dims, ElementsAre(4, 1, 1));
  EXPECT_THAT(planes[1].shifts, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(planes[1].shift_dims, ElementsAre(4, 2, 1));
}

TEST(UnpackedType, IsBytesWhereTheOpsetAddsThem) {
  EXPECT_EQ(unpacked_type(13), Unpacked::kFloat);
  EXPECT_EQ(unpacked_type(14), Unpacked::kInt8);
  EXPECT_EQ(unpacked_type({21, true}), Unpacked::kFloat);
}

}  // namespace
}  // namespace mpq::encode::testing
