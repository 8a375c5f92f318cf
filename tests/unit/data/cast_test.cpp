#include "data/cast.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mpq::data {
namespace {

using testing::ElementsAre;

template <typename T>
Tensor tensor_of(DType type, const std::vector<T>& values) {
  Tensor tensor(type, {static_cast<std::int64_t>(values.size())});
  std::copy(values.begin(), values.end(), tensor.as_mutable<T>().begin());
  return tensor;
}

/// The values as another type; nothing where the cast is refused.
template <typename To, typename From>
std::optional<std::vector<To>> cast(DType from, const std::vector<From>& values, DType to) {
  std::optional<CastLoss> loss;
  const std::optional<Tensor> result = cast_faithfully(tensor_of(from, values), to, loss);
  EXPECT_FALSE(result && loss);
  if (!result) return std::nullopt;
  EXPECT_EQ(result->type(), to);
  return std::vector<To>(result->as<To>().begin(), result->as<To>().end());
}

/// The element that is lost; -1 where the types do not go together or nothing is lost.
template <typename From>
std::int64_t lost(DType from, const std::vector<From>& values, DType to) {
  std::optional<CastLoss> loss = CastLoss{99};
  cast_faithfully(tensor_of(from, values), to, loss);
  return loss ? loss->element : -1;
}

TEST(Cast, TheSameTypeStaysAsItIs) {
  const Tensor tensor = tensor_of<float>(DType::kFloat32, {1, NAN});
  std::optional<CastLoss> loss;
  EXPECT_EQ(cast_faithfully(tensor, DType::kFloat32, loss)->data(), tensor.data());
}

TEST(Cast, IntegersFitExactlyOrNot) {
  EXPECT_EQ((cast<std::uint8_t>(DType::kInt64, std::vector<std::int64_t>{0, 255}, DType::kUInt8)),
            (std::vector<std::uint8_t>{0, 255}));
  EXPECT_EQ(lost<std::int64_t>(DType::kInt64, {1, 2, 256, -1}, DType::kUInt8), 2);
  EXPECT_EQ(lost<std::int64_t>(DType::kInt64, {-1}, DType::kUInt8), 0);
  EXPECT_EQ(lost<std::int16_t>(DType::kInt16, {-128, 127, -129}, DType::kInt8), 2);
  constexpr auto kLargest = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(lost<std::uint64_t>(DType::kUInt64, {kLargest >> 1, kLargest}, DType::kInt64), 1);
  EXPECT_EQ((cast<std::int64_t>(DType::kUInt64, std::vector<std::uint64_t>{kLargest >> 1}, DType::kInt64)),
            std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::max()});
  EXPECT_EQ(lost<std::int64_t>(DType::kInt64, {std::numeric_limits<std::int64_t>::min()}, DType::kUInt64), 0);
}

// Floats of 24, halves of 11 and bfloat16 of 8 significant bits.
TEST(Cast, IntegersBecomeFloatsWhereTheyAreExact) {
  EXPECT_EQ((cast<float>(DType::kInt32, std::vector<std::int32_t>{16777216, -16777215}, DType::kFloat32)),
            (std::vector<float>{16777216, -16777215}));
  EXPECT_EQ(lost<std::int32_t>(DType::kInt32, {16777218, 16777217}, DType::kFloat32), 1);
  EXPECT_EQ(lost<std::int32_t>(DType::kInt32, {2048, 2049}, DType::kFloat16), 1);
  EXPECT_EQ(lost<std::int32_t>(DType::kInt32, {65504, 65536}, DType::kFloat16), 1);
  EXPECT_EQ(lost<std::int32_t>(DType::kInt32, {256, 257}, DType::kBFloat16), 1);
  EXPECT_EQ(lost<std::int64_t>(DType::kInt64, {std::int64_t{1} << 53, (std::int64_t{1} << 53) + 1}, DType::kFloat64),
            1);
  EXPECT_EQ(lost<std::uint64_t>(DType::kUInt64, {std::numeric_limits<std::uint64_t>::max()}, DType::kFloat64), 0);
}

TEST(Cast, BooleansAreZeroAndOne) {
  EXPECT_EQ((cast<float>(DType::kBool, std::vector<std::uint8_t>{0, 1}, DType::kFloat32)), (std::vector<float>{0, 1}));
  EXPECT_EQ((cast<std::uint8_t>(DType::kInt32, std::vector<std::int32_t>{1, 0}, DType::kBool)),
            (std::vector<std::uint8_t>{1, 0}));
  EXPECT_EQ(lost<std::int32_t>(DType::kInt32, {1, 2}, DType::kBool), 1);
  EXPECT_EQ(lost<std::int32_t>(DType::kInt32, {-1}, DType::kBool), 0);
}

TEST(Cast, FloatsNeverBecomeIntegers) {
  for (const DType to : {DType::kInt8, DType::kInt64, DType::kUInt8, DType::kBool}) {
    EXPECT_EQ((cast<std::uint8_t>(DType::kFloat32, std::vector<float>{1}, to)), std::nullopt);
    EXPECT_EQ(lost<float>(DType::kFloat32, {1}, to), -1) << "the types are to blame, no element";
  }
}

TEST(Cast, FloatsAreRoundedToNearestEven) {
  EXPECT_EQ((cast<float>(DType::kFloat64, std::vector<double>{0.1, 1e-60}, DType::kFloat32)),
            (std::vector<float>{0.1F, 0}));
  // Between 1 = 0x3c00 and its neighbour 0x3c01 lies 1 + 2^-11; between that and 0x3c02 lies 1 + 3 * 2^-11.
  EXPECT_EQ((cast<std::uint16_t>(DType::kFloat32, std::vector<float>{1 + 0x1p-11F, 1 + 3 * 0x1p-11F, 1 + 0x1.8p-11F},
                                 DType::kFloat16)),
            (std::vector<std::uint16_t>{0x3c00, 0x3c02, 0x3c01}));
  EXPECT_EQ(
      (cast<std::uint16_t>(DType::kFloat32, std::vector<float>{1 + 0x1p-8F, 1 + 3 * 0x1p-8F, -2.5F}, DType::kBFloat16)),
      (std::vector<std::uint16_t>{0x3f80, 0x3f82, 0xc020}));
  EXPECT_EQ((cast<double>(DType::kFloat16, std::vector<std::uint16_t>{0x3555, 0x0001, 0xfbff}, DType::kFloat64)),
            (std::vector<double>{0x1.554p-2, 0x1p-24, -65504}));
}

// The bit that decides lies beyond a float's reach: a detour over float32 would see a tie.
TEST(Cast, DoublesAreRoundedOnce) {
  const std::vector<double> near_half = {1 + 0x1p-11 + 0x1p-40, 1 + 3 * 0x1p-11 - 0x1p-40, -1 - 0x1p-11 - 0x1p-40};
  EXPECT_EQ((cast<std::uint16_t>(DType::kFloat64, near_half, DType::kFloat16)),
            (std::vector<std::uint16_t>{0x3c01, 0x3c01, 0xbc01}));
  const std::vector<double> near_brain = {1 + 0x1p-8 + 0x1p-40, 1 + 3 * 0x1p-8 - 0x1p-40};
  EXPECT_EQ((cast<std::uint16_t>(DType::kFloat64, near_brain, DType::kBFloat16)),
            (std::vector<std::uint16_t>{0x3f81, 0x3f81}));
  EXPECT_EQ(lost<double>(DType::kFloat64, {65520 - 0x1p-30, 65520}, DType::kFloat16), 1);
}

TEST(Cast, OverflowIsALoss) {
  EXPECT_EQ(lost<double>(DType::kFloat64, {1, 3.4e38, 3.5e38}, DType::kFloat32), 2);
  EXPECT_EQ(lost<float>(DType::kFloat32, {65504, 65519, 65520}, DType::kFloat16), 2);
  EXPECT_EQ(lost<float>(DType::kFloat32, {-65520}, DType::kFloat16), 0);
  EXPECT_EQ(lost<float>(DType::kFloat32, {3.38e38F, std::numeric_limits<float>::max()}, DType::kBFloat16), 1);
}

TEST(Cast, InfinityAndNaNStay) {
  const std::vector<double> odd = {INFINITY, -INFINITY, NAN};
  const auto singles = cast<float>(DType::kFloat64, odd, DType::kFloat32);
  ASSERT_TRUE(singles);
  EXPECT_EQ((*singles)[0], INFINITY);
  EXPECT_EQ((*singles)[1], -INFINITY);
  EXPECT_TRUE(std::isnan((*singles)[2]));
  const auto halves = cast<std::uint16_t>(DType::kFloat64, odd, DType::kFloat16);
  ASSERT_TRUE(halves);
  EXPECT_EQ((*halves)[0], 0x7c00);
  EXPECT_EQ((*halves)[1], 0xfc00);
  EXPECT_EQ((*halves)[2] & 0x7c00, 0x7c00);
  EXPECT_NE((*halves)[2] & 0x3ff, 0);
  const auto brains = cast<std::uint16_t>(DType::kFloat64, odd, DType::kBFloat16);
  ASSERT_TRUE(brains);
  EXPECT_EQ((*brains)[0], 0x7f80);
  EXPECT_NE((*brains)[2] & 0x7f, 0);
}

TEST(Cast, StringsGoNowhere) {
  std::optional<CastLoss> loss;
  EXPECT_FALSE(cast_faithfully(Tensor(DType::kString, {1}), DType::kFloat32, loss));
  EXPECT_FALSE(cast_faithfully(Tensor(DType::kFloat32, {1}), DType::kString, loss));
  EXPECT_FALSE(loss);
}

TEST(Cast, EmptyTensorsChangeTheirType) {
  std::optional<CastLoss> loss;
  const auto result = cast_faithfully(Tensor(DType::kInt32, {0, 3}), DType::kFloat32, loss);
  ASSERT_TRUE(result);
  EXPECT_THAT(result->shape(), ElementsAre(0, 3));
}

TEST(FirstNonFinite, FindsItInEveryFloatType) {
  EXPECT_EQ(first_non_finite(tensor_of<float>(DType::kFloat32, {1, 3e38F, -3e38F, INFINITY, NAN})), 3);
  EXPECT_EQ(first_non_finite(tensor_of<double>(DType::kFloat64, {1e308, NAN})), 1);
  EXPECT_EQ(first_non_finite(tensor_of<std::uint16_t>(DType::kFloat16, {0x7bff, 0xfc00})), 1);
  EXPECT_EQ(first_non_finite(tensor_of<std::uint16_t>(DType::kBFloat16, {0x7f7f, 0x7fc0})), 1);
  EXPECT_EQ(first_non_finite(tensor_of<float>(DType::kFloat32, {3e38F, -3e38F})), std::nullopt);
  EXPECT_EQ(first_non_finite(tensor_of<std::int32_t>(DType::kInt32, {0x7f800000})), std::nullopt);
  EXPECT_EQ(first_non_finite(Tensor(DType::kFloat32, {0})), std::nullopt);
}

}  // namespace
}  // namespace mpq::data
