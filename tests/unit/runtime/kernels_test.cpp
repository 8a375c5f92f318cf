#include "mpq/kernels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "../graph/model_files.h"
#include "stored_graph.h"

// Every case is a rule that mpq relies on about what ONNX Runtime does with a quantized weight: a new version that
// changes one fails here.

namespace mpq::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Kernels : public graph::testing::ModelFiles {
 protected:
  KernelReport look(const std::string& body, int runs = 0) {
    StoredGraph graph("<ir_version: 8, opset_import: [\"\" : 17]> g " + body);
    for (auto& tensor : *graph.model.mutable_graph()->mutable_initializer()) fill(tensor);
    const Model model = load(graph.model);
    KernelOptions options;
    options.runs = runs;
    return inspect_kernels(model, Samples::synthetic(model, 2, 1), options);
  }

 private:
  /// Ones for scales, small numbers that differ for weights; what the text gives numbers stays.
  static void fill(onnx::TensorProto& tensor) {
    std::int64_t count = 1;
    for (const auto extent : tensor.dims()) count *= extent;
    if (count < 64) return;
    std::vector<std::int8_t> integers;
    std::vector<float> floats;
    for (std::int64_t i = 0; i < count; ++i) {
      integers.push_back(static_cast<std::int8_t>(i % 251 - 125));
      floats.push_back(static_cast<float>(i % 97 - 48) / 100);
    }
    tensor.clear_float_data();
    tensor.clear_int32_data();
    if (tensor.data_type() == onnx::TensorProto::INT8) tensor.set_raw_data(integers.data(), integers.size());
    if (tensor.data_type() == onnx::TensorProto::FLOAT) tensor.set_raw_data(floats.data(), 4 * floats.size());
  }
};

TEST_F(Kernels, float_layers_are_float_and_timed) {
  const KernelReport report = look(R"((float[1,8,16,16] x) => (float[1,8,16,16] z)
    <float[8,8,3,3] w = {0}, float[16,16] m = {0}>
    { [conv] y = Conv<pads = [1,1,1,1]>(x, w) r = Relu(y) [product] z = MatMul(r, m) })",
                                   3);
  ASSERT_EQ(report.layers.size(), 2U);
  for (const LayerKernel& layer : report.layers) {
    EXPECT_EQ(layer.form, KernelForm::kFloat) << layer.node;
    EXPECT_FALSE(layer.quantized);
    EXPECT_GT(layer.microseconds, 0) << layer.node;
    EXPECT_LE(layer.microseconds, report.microseconds);
  }
  EXPECT_EQ(report.layers[0].node, "conv");
  EXPECT_EQ(report.layers[0].kernel, "Conv");
  EXPECT_EQ(report.layers[1].kernel, "MatMul");
}

TEST_F(Kernels, dequantized_columns_of_a_product_become_an_integer_kernel) {
  const KernelReport report = look(R"((float[1,64] x) => (float[1,32] y)
    <int8[64,32] q = {0}, float[32] s = {1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1}>
    { w = DequantizeLinear<axis = 1>(q, s) [product] y = MatMul(x, w) })");
  ASSERT_EQ(report.layers.size(), 1U);
  EXPECT_EQ(report.layers[0].form, KernelForm::kInteger);
  EXPECT_EQ(report.layers[0].kernel, "MatMulNBits");
  EXPECT_TRUE(report.layers[0].quantized);
}

TEST_F(Kernels, a_cast_and_a_product_of_constants_are_folded) {
  const KernelReport report = look(R"((float[1,8,16,16] x) => (float[1,8,14,14] y)
    <int8[8,8,3,3] q = {0}, float s = {0.5}>
    { f = Cast<to = 1>(q) w = Mul(f, s) [conv] y = Conv(x, w) })");
  ASSERT_EQ(report.layers.size(), 1U);
  EXPECT_EQ(report.layers[0].form, KernelForm::kFolded);
}

// runtime-facts, rule 3: weight-only DequantizeLinear before a Conv runs every time.
TEST_F(Kernels, a_dequantized_kernel_without_quantized_activations_is_dequantized_at_every_run) {
  const KernelReport report = look(R"((float[1,8,16,16] x) => (float[1,8,14,14] y)
    <int8[8,8,3,3] q = {0}, float s = {0.5}>
    { w = DequantizeLinear(q, s) [conv] y = Conv(x, w) })",
                                   3);
  ASSERT_EQ(report.layers.size(), 1U);
  EXPECT_EQ(report.layers[0].form, KernelForm::kDequantized);
  EXPECT_THAT(report.layers[0].reason, HasSubstr("DequantizeLinear"));
}

constexpr const char* kQdqBody = R"((float[1,8,16,16] x) => (float[1,8,14,14] y)
    <WEIGHT, float s = {0.5}, float a = {0.05}, uint8 z = {0}, int32[8] bq = {1,2,3,4,5,6,7,8}, float bs = {BS}, float[8] bf = {1,2,3,4,5,6,7,8}>
    { xq = QuantizeLinear(x, a, z) xd = DequantizeLinear(xq, a, z) w = MAKE b = BIAS
      [conv] c = Conv(xd, w, b) r = Relu(c) BREAK yq = QuantizeLinear(r2, a, z) y = DequantizeLinear(yq, a, z) })";

std::string qdq(const std::string& weight, const std::string& make, const std::string& between,
                const std::string& bias = "DequantizeLinear(bq, bs)", const std::string& bias_scale = "0.025") {
  std::string text = kQdqBody;
  const auto put = [&text](const std::string& mark, const std::string& what) {
    text.replace(text.find(mark), mark.size(), what);
  };
  put("WEIGHT", weight);
  put("MAKE", make);
  put("BREAK", between);
  put("BIAS", bias);
  put("BS", bias_scale);
  return text;
}

TEST_F(Kernels, a_convolution_between_quantized_activations_is_an_integer_kernel) {
  const KernelReport report = look(qdq("int8[8,8,3,3] q = {0}", "DequantizeLinear(q, s)", "r2 = Identity(r)"));
  ASSERT_EQ(report.layers.size(), 1U);
  EXPECT_EQ(report.layers[0].form, KernelForm::kInteger);
  EXPECT_EQ(report.layers[0].kernel, "QLinearConv");
  EXPECT_EQ(report.layers[0].reason, "");
}

// runtime-facts 7.1: ONNX Runtime quantizes float weights between dequantized and quantized activations by itself ...
TEST_F(Kernels, float_weights_between_quantized_activations_become_integers_silently) {
  const KernelReport report = look(qdq("float[8,8,3,3] q = {0}", "Identity(q)", "r2 = Identity(r)", "Identity(bf)"));
  ASSERT_EQ(report.layers.size(), 1U);
  EXPECT_EQ(report.layers[0].form, KernelForm::kInteger);
  EXPECT_THAT(report.layers[0].kernel, HasSubstr("QLinearConv"));
}

// ... and a LeakyRelu of slope 1 behind the activation keeps them.
TEST_F(Kernels, a_leaky_relu_of_slope_one_keeps_float_weights_float) {
  const KernelReport report =
      look(qdq("float[8,8,3,3] q = {0}", "Identity(q)", "r2 = LeakyRelu<alpha = 1.0>(r)", "Identity(bf)"));
  ASSERT_EQ(report.layers.size(), 1U);
  EXPECT_THAT(report.layers[0].kernel, Not(HasSubstr("QLinear")));
  EXPECT_NE(report.layers[0].form, KernelForm::kInteger);
}

// runtime-facts 1: the scale of an int32 bias must be the product of the input's and the weight's, within 1 %.
TEST_F(Kernels, a_bias_of_another_scale_keeps_a_convolution_from_its_integer_kernel) {
  const KernelReport report = look(
      qdq("int8[8,8,3,3] q = {0}", "DequantizeLinear(q, s)", "r2 = Identity(r)", "DequantizeLinear(bq, bs)", "0.03"));
  ASSERT_EQ(report.layers.size(), 1U);
  EXPECT_EQ(report.layers[0].form, KernelForm::kDequantized);
}

TEST_F(Kernels, options_are_checked) {
  EXPECT_THROW(KernelOptions{.threads = 0}.validate(), Error);
  EXPECT_THROW(KernelOptions{.runs = -1}.validate(), Error);
}

}  // namespace
}  // namespace mpq::runtime
