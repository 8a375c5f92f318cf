#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../quantize/layers.h"
#include "functions.h"
#include "quantize/quantize_weight.h"
#include "support/random.h"

// The functions as the runtime computes them, against what the library says a weight is worth.

namespace mpq::encode::testing {
namespace {

std::vector<float> weights_of(const Layer& layer) {
  std::vector<float> values(static_cast<std::size_t>(layer.parameters));
  fill_gaussian(Philox(3), values);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] *= 0.01F * static_cast<float>(1 + i % 7);
  return values;
}

struct Written {
  quant::QuantizedTensor numbers;
  Tensor weight;  ///< what ONNX Runtime makes of it
};

Written written(const Layer& layer, const Candidate& candidate, Dialect dialect, const IntegerSite& site = {}) {
  const std::int64_t opset = dialect.opset;
  const std::vector<float> weights = weights_of(layer);
  Written result{quant::quantize_weight(weights, layer, candidate), {}};
  const StorageForm form = storage_form(layer, candidate, dialect, site);
  std::vector<onnx::TensorProto> constants = {
      constant(packed_plan(layer, form, "q"), packed_bytes(layer, result.numbers, form)),
      constant(scales_plan(layer, form, "s"), scale_bytes(result.numbers, form))};
  std::vector<std::string> inputs = {"q", "s"};
  if (form.trellis) {
    constants.push_back(constant(entries_plan(form, "e"), entries_bytes(result.numbers)));
    inputs.emplace_back("e");
  }
  const onnx::NodeProto call = unpack_node(layer, form, opset, result.numbers.scale_multiplier, inputs, "w");
  result.weight = result_of(unpack_function(form, opset), call, constants, element_type(layer.dtype), opset);
  return result;
}

std::vector<std::uint32_t> bits_of(std::span<const float> values) {
  std::vector<std::uint32_t> bits(values.size());
  if (!bits.empty()) std::memcpy(bits.data(), values.data(), values.size_bytes());
  return bits;
}

void expect_dequantized(const Written& written, const Layer& layer) {
  EXPECT_EQ(written.weight.shape(), layer.shape);
  EXPECT_EQ(bits_of(written.weight.as<float>()), bits_of(quant::dequantize(written.numbers)));
}

constexpr int kNarrowest = 2, kWidest = 8;

class UnpackFunction : public ::testing::TestWithParam<int> {
 protected:
  void expect_every_width(const Layer& layer, int block) const {
    for (int bits = kNarrowest; bits <= kWidest; ++bits) {
      SCOPED_TRACE(to_string(grid(bits, block)));
      expect_dequantized(written(layer, grid(bits, block), GetParam()), layer);
      constexpr int kWidestTrellis = 6;
      if (block > 0 || bits > kWidestTrellis) continue;
      const Candidate trellis{bits, "trellis", 0};
      expect_dequantized(written(layer, trellis, GetParam()), layer);
    }
  }
};

TEST_P(UnpackFunction, ScalesPerChannel) { expect_every_width(test_layer({32, 24}, {1}, 0), 0); }

TEST_P(UnpackFunction, ScalesPerChannelOfAConvolution) { expect_every_width(test_layer({8, 4, 3, 3}, {0}), 0); }

TEST_P(UnpackFunction, ScalesPerBlock) {
  expect_every_width(test_layer({64, 12}, {1}, 0), 16);
  expect_every_width(test_layer({12, 64}, {0}, 1), 32);
}

TEST_P(UnpackFunction, WeightsThatFillNoWholeGroup) {
  expect_every_width(test_layer({7, 5}, {1}), 0);
  expect_every_width(test_layer({6, 3}, {1}, 0), 3);
}

TEST_P(UnpackFunction, PortableFilesHoldTheSame) {
  const Layer layer = test_layer({8, 4, 3, 3}, {0});
  for (int bits = kNarrowest; bits <= kWidest; ++bits) {
    SCOPED_TRACE(bits);
    expect_dequantized(written(layer, grid(bits), {GetParam(), true}), layer);
  }
}

TEST_P(UnpackFunction, Halves) {
  const Layer layer = test_layer({32, 24}, {1}, 0, "float16");
  for (int bits = kNarrowest; bits <= kWidest; ++bits) {
    for (const int block : {0, 16}) {
      const Written result = written(layer, grid(bits, block), GetParam());
      std::vector<std::uint16_t> expected;
      for (const float value : quant::dequantize(result.numbers)) expected.push_back(quant::to_half(value));
      const auto values = result.weight.as<std::uint16_t>();
      EXPECT_EQ(std::vector<std::uint16_t>(values.begin(), values.end()), expected) << bits << '/' << block;
    }
  }
}

TEST_P(UnpackFunction, Doubles) {
  const Layer layer = test_layer({32, 24}, {1}, 0, "float64");
  for (int bits = kNarrowest; bits <= kWidest; ++bits) {
    const Written result = written(layer, grid(bits), GetParam());
    const std::vector<float> floats = quant::dequantize(result.numbers);
    const auto values = result.weight.as<double>();
    EXPECT_EQ(std::vector<double>(values.begin(), values.end()), std::vector<double>(floats.begin(), floats.end()));
  }
}

INSTANTIATE_TEST_SUITE_P(EveryDialect, UnpackFunction, ::testing::Values(7, 9, 11, 13, 14, 18, 21));

class IntegerFunction : public ::testing::TestWithParam<int> {};

TEST_P(IntegerFunction, ScalesPerColumn) {
  const Layer layer = test_layer({32, 24}, {1}, 0);
  for (int bits = kNarrowest; bits <= kWidest; ++bits) {
    expect_dequantized(written(layer, grid(bits), GetParam(), {true, false, ""}), layer);
  }
}

/// A Gemm's [N, K] is stored as [K, N].
void expect_transposed(const Candidate& candidate, std::int64_t opset) {
  const Written result = written(test_layer({24, 32}, {0}, 1), candidate, opset, {true, true, ""});
  ASSERT_EQ(result.weight.shape(), (std::vector<std::int64_t>{32, 24}));
  const std::vector<float> expected = quant::dequantize(result.numbers);
  const auto values = result.weight.as<float>();
  for (std::size_t n = 0; n < 24; ++n) {
    for (std::size_t k = 0; k < 32; ++k) ASSERT_EQ(values[k * 24 + n], expected[n * 32 + k]) << n << ' ' << k;
  }
}

TEST_P(IntegerFunction, StoredTransposed) {
  for (int bits = kNarrowest; bits <= kWidest; ++bits) expect_transposed(grid(bits), GetParam());
}

INSTANTIATE_TEST_SUITE_P(EveryDialect, IntegerFunction, ::testing::Values(13, 17, 21));

TEST(IntegerFunctionOfBlocks, ScalesPerBlock) {
  const Layer layer = test_layer({64, 12}, {1}, 0);
  for (int bits = kNarrowest; bits <= kWidest; ++bits) {
    expect_dequantized(written(layer, grid(bits, 32), 21, {true, false, ""}), layer);
    expect_transposed(grid(bits, 16), 21);
  }
}

}  // namespace
}  // namespace mpq::encode::testing
