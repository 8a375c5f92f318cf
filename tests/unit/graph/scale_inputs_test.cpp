#include "graph/scale_inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "graph/replace_numbers.h"
#include "model_files.h"
#include "parsed_model.h"
#include "quantize/grid.h"

namespace mpq::graph {
namespace {

using ::testing::ElementsAre;

/// `skip` reads x, too, and goes on reading it as it is.
constexpr const char* kSharedInput = R"(<ir_version: 8, opset_import: ["" : 17]>
    g (float[n,4] x) => (float[n,64] y, float[n,64] z, float[n,4] skip)
    <float[4,64] a = {0}, float[4,64] b = {0}> {
      y = MatMul(x, a)
      z = MatMul(x, b)
      skip = Relu(x)
    })";

class ScaleInputs : public testing::ModelFiles {
 protected:
  Model model() {
    auto proto = testing::from_text(kSharedInput);
    testing::fill(*proto.mutable_graph());
    return load(proto);
  }
};

std::string reader(const Model& model, const std::string& output) {
  for (const auto& node : model.impl().proto.graph().node()) {
    if (node.output(0) == output) return node.op_type() + " " + node.input(0);
  }
  return "";
}

TEST_F(ScaleInputs, ProductsOfOneInputShareItsDivision) {
  const Model before = model();
  const auto [after, scaled] = scale_inputs(before, {{"x", {2, 0.5F, 1, 3}, {"a", "b"}}});
  ASSERT_THAT(scaled, ElementsAre("x_equalized"));
  EXPECT_EQ(reader(after, "x_equalized"), "Mul x");
  EXPECT_EQ(reader(after, "y"), "MatMul x_equalized");
  EXPECT_EQ(reader(after, "z"), "MatMul x_equalized");
  EXPECT_EQ(reader(after, "skip"), "Relu x");
  testing::expect_valid(after.impl().proto);
}

TEST_F(ScaleInputs, WeightsTakeWhatTheHalvesDivideBy) {
  const Model before = model();
  const std::vector<float> factors = {2, 0.5F, 1, 3};
  const Model after = scale_inputs(before, {{"x", factors, {"b"}}}).model;
  EXPECT_EQ(reader(after, "y"), "MatMul x");
  const auto old_numbers = read_numbers(before.impl().proto, *before.impl().store, "b");
  const auto numbers = read_numbers(after.impl().proto, *after.impl().store, "b");
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const float half = quant::from_half(quant::to_half(1 / factors[i / 64]));
    EXPECT_FLOAT_EQ(numbers[i] * half, old_numbers[i]) << i;
  }
  EXPECT_EQ(read_numbers(after.impl().proto, *after.impl().store, "a"),
            read_numbers(before.impl().proto, *before.impl().store, "a"));
}

TEST_F(ScaleInputs, RefusesWeightsThatDoNotReadTheInput) {
  const Model before = model();
  EXPECT_THROW(scale_inputs(before, {{"skip", {1, 1, 1, 1}, {"a"}}}), Error);
}

}  // namespace
}  // namespace mpq::graph
