#include "support/values.h"

#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "mpq/error.h"

#include "support/damage.h"

namespace mpq {
namespace {

template <typename T>
Tensor tensor_of(DType type, const std::vector<T>& values) {
  Tensor tensor(type, {static_cast<std::int64_t>(values.size())});
  if (!values.empty()) std::memcpy(tensor.mutable_data(), values.data(), values.size() * sizeof(T));
  return tensor;
}

TEST(ReadDoubles, KnowsEveryNumericType) {
  EXPECT_EQ(to_doubles(tensor_of<float>(DType::kFloat32, {1.5F, -2})), (std::vector<double>{1.5, -2}));
  EXPECT_EQ(to_doubles(tensor_of<double>(DType::kFloat64, {0.1})), (std::vector<double>{0.1}));
  EXPECT_EQ(to_doubles(tensor_of<std::int8_t>(DType::kInt8, {-128, 127})), (std::vector<double>{-128, 127}));
  EXPECT_EQ(to_doubles(tensor_of<std::int16_t>(DType::kInt16, {-32768})), (std::vector<double>{-32768}));
  EXPECT_EQ(to_doubles(tensor_of<std::int32_t>(DType::kInt32, {-7})), (std::vector<double>{-7}));
  EXPECT_EQ(to_doubles(tensor_of<std::int64_t>(DType::kInt64, {1ll << 52})), (std::vector<double>{0x1p52}));
  EXPECT_EQ(to_doubles(tensor_of<std::uint8_t>(DType::kUInt8, {255})), (std::vector<double>{255}));
  EXPECT_EQ(to_doubles(tensor_of<std::uint16_t>(DType::kUInt16, {65535})), (std::vector<double>{65535}));
  EXPECT_EQ(to_doubles(tensor_of<std::uint32_t>(DType::kUInt32, {4294967295u})), (std::vector<double>{4294967295.0}));
  EXPECT_EQ(to_doubles(tensor_of<std::uint64_t>(DType::kUInt64, {5})), (std::vector<double>{5}));
  EXPECT_EQ(to_doubles(tensor_of<std::uint8_t>(DType::kBool, {0, 1})), (std::vector<double>{0, 1}));
  EXPECT_THROW(to_doubles(Tensor(DType::kString, {2})), Error);
}

// Bit patterns and values as NumPy's float16 gives them.
TEST(ReadDoubles, HalfFloatsMatchNumPy) {
  const auto values = to_doubles(tensor_of<std::uint16_t>(
      DType::kFloat16, {0x2e66, 0xc100, 0x7bff, 0x0001, 0x03ff, 0x7c00, 0xfc00, 0x8000, 0x3555, 0x7e00}));
  EXPECT_EQ(values[0], 0.0999755859375);
  EXPECT_EQ(values[1], -2.5);
  EXPECT_EQ(values[2], 65504);
  EXPECT_EQ(values[3], 5.960464477539063e-08);
  EXPECT_EQ(values[4], 6.097555160522461e-05);
  EXPECT_EQ(values[5], INFINITY);
  EXPECT_EQ(values[6], -INFINITY);
  EXPECT_TRUE(values[7] == 0 && std::signbit(values[7]));
  EXPECT_EQ(values[8], 0.333251953125);
  EXPECT_TRUE(std::isnan(values[9]));
}

TEST(ReadDoubles, BrainFloatsAreTheUpperHalfOfFloats) {
  const auto values = to_doubles(tensor_of<std::uint16_t>(DType::kBFloat16, {0x3f80, 0xc049, 0x7f80, 0x0001}));
  EXPECT_EQ(values[0], 1);
  EXPECT_EQ(values[1], -3.140625);
  EXPECT_EQ(values[2], INFINITY);
  EXPECT_EQ(values[3], 0x1p-133);
}

TEST(ForEachChunk, CoversATensorInOrder) {
  for (const std::size_t n : {std::size_t{0}, std::size_t{1}, kChunk - 1, kChunk, kChunk + 1, 5 * kChunk + 3}) {
    std::vector<float> values(n);
    for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<float>(i);
    std::vector<double> seen;
    for_each_chunk(tensor_of(DType::kFloat32, values), [&](std::span<const double> part) {
      EXPECT_LE(part.size(), kChunk);
      seen.insert(seen.end(), part.begin(), part.end());
    });
    EXPECT_EQ(seen, std::vector<double>(values.begin(), values.end()));
  }
}

}  // namespace
}  // namespace mpq
