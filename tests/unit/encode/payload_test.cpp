#include "encode/payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../quantize/layers.h"

namespace mpq::encode {
namespace {

using testing::ElementsAre;
using Store = StorageForm::Store;
using Run = StorageForm::Run;

StorageForm form(int bits, Store store, Run run = Run::kFolded, int block = 0, bool transposed = false) {
  return {bits, block, store, run, false, transposed, "float32", ""};
}

quant::QuantizedTensor numbers(std::vector<std::int64_t> shape, std::vector<std::int8_t> values,
                               std::vector<std::uint16_t> scales = {}) {
  quant::QuantizedTensor tensor;
  tensor.shape = std::move(shape);
  tensor.values = std::move(values);
  tensor.scales = std::move(scales);
  return tensor;
}

/// Of a layer whose axes are its tensor's.
Bytes packed(const quant::QuantizedTensor& tensor, const StorageForm& how) {
  return packed_bytes(test_layer(tensor.shape, {0}), tensor, how);
}

std::vector<int> ints(const Bytes& bytes) {
  std::vector<int> result;
  for (const std::byte byte : bytes) result.push_back(std::to_integer<int>(byte));
  return result;
}

TEST(PackedBytes, Int8IsTwosComplement) {
  EXPECT_THAT(ints(packed(numbers({4}, {0, 1, -1, -128}), form(8, Store::kInt8))), ElementsAre(0, 1, 255, 128));
}

// ONNX's INT4: the first number in the low half, an odd last one by itself.
TEST(PackedBytes, Int4IsTwoToAByte) {
  EXPECT_THAT(ints(packed(numbers({5}, {1, 2, -1, -8, 7}), form(4, Store::kInt4))), ElementsAre(0x21, 0x8f, 0x07));
}

// u = value + 2 = 0 1 2 3 3 2 1 0 in two bytes: elements 0, 2, 4, 6 from the low bits up, then 1, 3, 5, 7.
TEST(PackedBytes, PlanesHoldUnsignedNumbers) {
  EXPECT_THAT(ints(packed(numbers({8}, {-2, -1, 0, 1, 1, 0, -1, -2}), form(2, Store::kPlanes))),
              ElementsAre(0x78, 0x2d));
}

TEST(PackedBytes, TransposedBeforePacking) {
  const quant::QuantizedTensor tensor = numbers({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(ints(packed(tensor, form(8, Store::kInt8, Run::kInt8, 0, true))), ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(ints(packed(tensor, form(4, Store::kInt4, Run::kInt4, 0, true))), ElementsAre(0x41, 0x52, 0x63));
}

TEST(ScaleBytes, AreLittleEndianHalves) {
  EXPECT_THAT(ints(scale_bytes(numbers({2}, {1, 1}, {0x3c00, 0x1234}), form(8, Store::kInt8))),
              ElementsAre(0x00, 0x3c, 0x34, 0x12));
}

// Scales of [N = 2, K / block = 3, 1].
TEST(ScaleBytes, OfBlocksAreTransposedWithTheWeight) {
  const quant::QuantizedTensor tensor = numbers({2, 48}, {}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(ints(scale_bytes(tensor, form(8, Store::kInt8, Run::kInt8, 16, true))),
              ElementsAre(1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6, 0));
  EXPECT_THAT(ints(scale_bytes(tensor, form(8, Store::kInt8, Run::kInt8, 16, false))),
              ElementsAre(1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0));
}

TEST(HalfBytes, AreHalvesThatNeverOverflow) {
  EXPECT_THAT(ints(half_bytes({1, -2, 1e6F})), ElementsAre(0x00, 0x3c, 0x00, 0xc0, 0xff, 0x7b));
}

struct PlanCase {
  Layer layer;
  StorageForm form;
  onnx::TensorProto::DataType type;
  std::vector<std::int64_t> dims, scale_dims;
  std::int64_t bytes;
};

TEST(Plans, TellTypeShapeAndBytes) {
  const Layer product = test_layer({64, 24}, {1}, 0), gemm = test_layer({24, 64}, {0}, 1);
  const Layer convolution = test_layer({6, 5, 1, 1}, {0}), odd = test_layer({3, 3}, {1}, 0);
  const auto uint8 = onnx::TensorProto::UINT8, int8 = onnx::TensorProto::INT8, int4 = onnx::TensorProto::INT4;
  const std::vector<PlanCase> cases = {
      {product, form(3, Store::kPlanes), uint8, {576}, {24}, 576},
      {product, form(8, Store::kInt8), int8, {64, 24}, {24}, 1536},
      {product, form(4, Store::kInt4), int4, {64, 24}, {24}, 768},
      {product, form(8, Store::kInt8, Run::kFolded, 16), int8, {4, 16, 24}, {4, 1, 24}, 1536},
      {product, form(3, Store::kPlanes, Run::kFolded, 16), uint8, {576}, {4, 1, 24}, 576},
      {product, form(8, Store::kInt8, Run::kInt8, 16), int8, {64, 24}, {4, 24}, 1536},
      {gemm, form(8, Store::kInt8, Run::kInt8, 0, true), int8, {64, 24}, {24}, 1536},
      {gemm, form(4, Store::kInt4, Run::kInt4, 16, true), int4, {64, 24}, {4, 24}, 768},
      {convolution, form(8, Store::kInt8), int8, {6, 5, 1, 1}, {6, 1, 1, 1}, 30},
      {convolution, form(5, Store::kPlanes), uint8, {20}, {6, 1, 1, 1}, 20},  // 30 numbers in four groups of eight
      {odd, form(4, Store::kInt4), int4, {3, 3}, {3}, 5}};
  for (const PlanCase& c : cases) {
    const TensorPlan packed = packed_plan(c.layer, c.form, "q"), scales = scales_plan(c.layer, c.form, "s");
    SCOPED_TRACE(c.form.function_name() + " of " + std::to_string(c.layer.parameters));
    EXPECT_EQ(packed.name, "q");
    EXPECT_EQ(packed.type, c.type);
    EXPECT_EQ(packed.dims, c.dims);
    EXPECT_EQ(packed.bytes, c.bytes);
    EXPECT_EQ(scales.type, onnx::TensorProto::FLOAT16);
    EXPECT_EQ(scales.dims, c.scale_dims);
    std::int64_t count = 1;
    for (const std::int64_t extent : c.scale_dims) count *= extent;
    EXPECT_EQ(scales.bytes, 2 * count);
  }
}

TEST(Plans, HalvesKeepTheirShape) {
  const TensorPlan plan = half_plan(test_layer({6, 5, 1, 1}, {0}), "h");
  EXPECT_EQ(plan.type, onnx::TensorProto::FLOAT16);
  EXPECT_THAT(plan.dims, ElementsAre(6, 5, 1, 1));
  EXPECT_EQ(plan.bytes, 60);
}

}  // namespace
}  // namespace mpq::encode
