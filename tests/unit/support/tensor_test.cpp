#include "mpq/tensor.h"

#include <limits>

#include <gtest/gtest.h>

#include "mpq/error.h"

namespace mpq {
namespace {

std::int64_t count(std::vector<std::int64_t> shape) { return element_count(shape); }

TEST(ElementCount, MultipliesExtents) {
  EXPECT_EQ(count({}), 1);
  EXPECT_EQ(count({7}), 7);
  EXPECT_EQ(count({2, 3, 5}), 30);
  EXPECT_EQ(count({4, 0, 9}), 0);
}

TEST(ElementCount, RefusesNegativeExtentsEvenBesideZero) {
  EXPECT_THROW(count({-1}), Error);
  EXPECT_THROW(count({0, -1}), Error);
}

TEST(ElementCount, RefusesOverflowButNotWhenAnExtentIsZero) {
  const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  EXPECT_THROW(count({huge, 2}), Error);
  EXPECT_THROW(count({std::int64_t{1} << 32, std::int64_t{1} << 31}), Error);
  EXPECT_EQ(count({std::int64_t{1} << 31, std::int64_t{1} << 31}), std::int64_t{1} << 62);
  EXPECT_EQ(count({huge, 0}), 0);
}

TEST(TensorTest, StartsZeroFilledInItsElementType) {
  const Tensor tensor(DType::kInt16, {3, 2});
  EXPECT_EQ(tensor.size(), 6);
  EXPECT_EQ(tensor.size_bytes(), 12u);
  for (const std::int16_t value : tensor.as<std::int16_t>()) EXPECT_EQ(value, 0);
}

TEST(TensorTest, RankZeroHoldsOneElement) {
  const Tensor tensor(DType::kFloat64, {});
  EXPECT_EQ(tensor.size(), 1);
  EXPECT_EQ(tensor.size_bytes(), 8u);
}

TEST(TensorTest, RefusesShapesBeyondTheAddressSpace) {
  try {
    Tensor(DType::kFloat64, {std::int64_t{1} << 62});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
  }
}

TEST(TensorTest, ReshapedSharesTheBytes) {
  const Tensor tensor(DType::kFloat32, {2, 6});
  const Tensor view = tensor.reshaped({3, 4});
  EXPECT_EQ(view.shape(), (std::vector<std::int64_t>{3, 4}));
  EXPECT_EQ(view.data(), tensor.data());
  EXPECT_EQ(view.as<float>().size(), 12u);
  EXPECT_THROW(tensor.reshaped({5}), Error);
}

TEST(DTypeTest, SizesAndNamesBelongTogether) {
  EXPECT_EQ(dtype_size(DType::kBFloat16), 2u);
  EXPECT_EQ(dtype_size(DType::kBool), 1u);
  EXPECT_EQ(dtype_size(DType::kUInt64), 8u);
  EXPECT_EQ(dtype_size(DType::kString), 0u);
  EXPECT_STREQ(dtype_name(DType::kFloat32), "float32");
  EXPECT_STREQ(dtype_name(DType::kBFloat16), "bfloat16");
  EXPECT_STREQ(dtype_name(DType::kBool), "bool");
}

}  // namespace
}  // namespace mpq
