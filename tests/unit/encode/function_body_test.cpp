#include "encode/function_body.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "functions.h"

namespace mpq::encode::testing {
namespace {

using ::testing::ElementsAre;

std::vector<std::int64_t> int64s(const Tensor& tensor) {
  return {tensor.as<std::int64_t>().begin(), tensor.as<std::int64_t>().end()};
}

class Dialects : public ::testing::TestWithParam<int> {
 protected:
  std::int64_t opset() const { return GetParam(); }
  FunctionBody body() const { return {opset(), "F", {"in"}, "out"}; }
  /// The function's result for the bytes 10, 11, 12, 13, 14, 15.
  Tensor run(const onnx::FunctionProto& function, const std::vector<onnx::AttributeProto>& attributes,
             onnx::TensorProto::DataType type) const {
    onnx::NodeProto call = call_of("F", {"p"});
    for (const auto& attribute : attributes) *call.add_attribute() = attribute;
    return result_of(function, call, {constant("p", {10, 11, 12, 13, 14, 15})}, type, opset());
  }
};

TEST_P(Dialects, ConstantsAreInt64) {
  FunctionBody body = this->body();
  const onnx::FunctionProto function = body.finish(body.constant({5, -1, 1LL << 40}));
  EXPECT_THAT(int64s(run(function, {}, onnx::TensorProto::INT64)), ElementsAre(5, -1, 1LL << 40));
}

TEST_P(Dialects, NumbersOfTheCaller) {
  FunctionBody body = this->body();
  const onnx::FunctionProto function =
      body.finish(body.reshape(body.cast("in", onnx::TensorProto::INT64), body.integers_from("shape")));
  EXPECT_THAT(function.attribute(), ElementsAre("shape"));
  EXPECT_THAT(run(function, {caller_integers("shape", {3, 2}, opset())}, onnx::TensorProto::INT64).shape(),
              ElementsAre(3, 2));
}

TEST_P(Dialects, AFloatOfTheCaller) {
  FunctionBody body = this->body();
  const std::string floats = body.cast("in", onnx::TensorProto::FLOAT);
  const onnx::FunctionProto function = body.finish(body.op("Mul", {floats, body.float_from("unit")}));
  const Tensor result = run(function, {caller_float("unit", 0.5F, opset())}, onnx::TensorProto::FLOAT);
  EXPECT_THAT(result.as<float>(), ElementsAre(5, 5.5F, 6, 6.5F, 7, 7.5F));
}

TEST_P(Dialects, TheFirstElements) {
  FunctionBody body = this->body();
  const onnx::FunctionProto function = body.finish(body.head(body.cast("in", onnx::TensorProto::INT64), "count"));
  EXPECT_THAT(int64s(run(function, {caller_count("count", 4, opset())}, onnx::TensorProto::INT64)),
              ElementsAre(10, 11, 12, 13));
}

TEST_P(Dialects, PartsOfGivenLength) {
  FunctionBody body = this->body();
  const std::vector<std::string> parts = body.split(body.cast("in", onnx::TensorProto::FLOAT), {1, 3, 2});
  ASSERT_EQ(parts.size(), 3U);
  const onnx::FunctionProto function =
      body.finish(body.op("Concat", {parts[2], parts[0], parts[1]}, {int_attribute("axis", 0)}));
  EXPECT_THAT(run(function, {}, onnx::TensorProto::FLOAT).as<float>(), ElementsAre(14, 15, 10, 11, 12, 13));
}

TEST_P(Dialects, PadsBeforeAndTakesOffBehind) {
  FunctionBody body = this->body();
  const onnx::FunctionProto function = body.finish(body.pad(body.cast("in", onnx::TensorProto::FLOAT), {2, -3}));
  EXPECT_THAT(run(function, {}, onnx::TensorProto::FLOAT).as<float>(), ElementsAre(0, 0, 10, 11, 12));
}

INSTANTIATE_TEST_SUITE_P(Opsets, Dialects, ::testing::Values(7, 8, 9, 10, 11, 12, 13, 21));

TEST(FunctionBody, NamesAreShortAndUnique) {
  FunctionBody body(17, "F", {"in"}, "out");
  std::set<std::string> names;
  for (int i = 0; i < 26 + 26 * 26 + 5; ++i) {
    const std::string name = body.op("Relu", {"in"});
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_LE(name.size(), i < 26 ? 1U : i < 26 + 26 * 26 ? 2U : 3U);
  }
}

TEST(FunctionBody, FinishNamesTheResultEverywhere) {
  FunctionBody body(17, "F", {"in"}, "out");
  const std::string shared = body.op("Relu", {"in"});
  body.op("Neg", {shared});
  const onnx::FunctionProto function = body.finish(shared);
  EXPECT_EQ(function.domain(), "mpq");
  EXPECT_THAT(function.output(), ElementsAre("out"));
  EXPECT_EQ(function.node(0).output(0), "out");
  EXPECT_EQ(function.node(1).input(0), "out");
  EXPECT_EQ(function.opset_import(0).version(), 17);
}

TEST(FunctionBody, AnAttributeIsDeclaredOnce) {
  FunctionBody body(17, "F", {"in"}, "out");
  body.integers_from("shape");
  const onnx::FunctionProto function = body.finish(body.integers_from("shape"));
  EXPECT_THAT(function.attribute(), ElementsAre("shape"));
}

}  // namespace
}  // namespace mpq::encode::testing
