#include "data/fit.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support/tensors.h"
#include "bytes.h"

namespace mpq::data::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Origin kOrigin{"Sample 3 of the array 'x'", "data.npz"};

ValueInfo input(DType type, std::vector<std::int64_t> shape, std::vector<std::string> symbols = {}) {
  return {"x", type, std::move(shape), std::move(symbols), true};
}

std::string refused(const Tensor& tensor, const ValueInfo& info) {
  return refusal("data.npz", [&] { fit(tensor, info, kOrigin); });
}

TEST(Fit, TakesWhatTheModelTakes) {
  const Tensor tensor = floats({1, 2}, {1, 2});
  EXPECT_EQ(fit(tensor, input(DType::kFloat32, {1, 2}), kOrigin).data(), tensor.data());
  EXPECT_THAT(fit(tensor, input(DType::kFloat32, {-1, -1}), kOrigin).shape(), ElementsAre(1, 2));
}

TEST(Fit, AnyShapeGoesWhereTheModelLeavesTheRankOpen) {
  ValueInfo open = input(DType::kFloat32, {});
  open.has_rank = false;
  EXPECT_THAT(fit(floats({2, 1, 3}, {1, 2, 3, 4, 5, 6}), open, kOrigin).shape(), ElementsAre(2, 1, 3));
  EXPECT_THAT(refused(floats({1}, {1}), input(DType::kFloat32, {})), HasSubstr("has the shape [1], but"));
}

TEST(Fit, CastsWithoutLoss) {
  const Tensor doubles = fit(floats({2}, {0.5F, -3}), input(DType::kFloat64, {2}), kOrigin);
  EXPECT_EQ(doubles.type(), DType::kFloat64);
  EXPECT_THAT(doubles.as<double>(), ElementsAre(0.5, -3));
}

TEST(Fit, RefusesOtherShapes) {
  const ValueInfo info = input(DType::kFloat32, {-1, 3, -1}, {"N", "", ""});
  EXPECT_THAT(refused(floats({1, 2, 2}, {1, 2, 3, 4}), info),
              HasSubstr("Sample 3 of the array 'x' has the shape [1, 2, 2], but the model's input 'x' takes float32 "
                        "[N, 3, ?]."));
  EXPECT_THAT(refused(floats({3}, {1, 2, 3}), info), HasSubstr("has the shape [3], but"));
}

TEST(Fit, TellsOfAFixedBatch) {
  try {
    fit(floats({1, 2}, {1, 2}), input(DType::kFloat32, {8, 2}), kOrigin);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.hint(), HasSubstr("[samples, 8, ...]"));
  }
}

TEST(Fit, RefusesTypesThatDoNotGoTogether) {
  EXPECT_THAT(refused(floats({1}, {1}), input(DType::kInt64, {1})),
              HasSubstr("holds float32 numbers, but the model's input 'x' takes int64 [1]"));
}

TEST(Fit, NamesTheElementThatDoesNotFit) {
  EXPECT_THAT(refused(floats({3}, {1, 2, 1e6F}), input(DType::kFloat16, {3})),
              HasSubstr("holds float32 numbers, of which element 2 is no float16"));
}

TEST(Fit, RefusesNaNAndInfinity) {
  EXPECT_THAT(refused(floats({2}, {0, NAN}), input(DType::kFloat32, {2})),
              HasSubstr("holds a NaN or an infinity (element 1)"));
  EXPECT_THAT(refused(floats({1}, {-INFINITY}), input(DType::kFloat16, {1})), HasSubstr("NaN or an infinity"));
}

TEST(Fit, WordsShapesAndTypes) {
  EXPECT_EQ(shape_text(std::vector<std::int64_t>{}), "[]");
  EXPECT_EQ(shape_text({3, 48, 320}), "[3, 48, 320]");
  EXPECT_EQ(type_text(input(DType::kInt8, {-1, 4, -1}, {"batch", "", ""})), "int8 [batch, 4, ?]");
  EXPECT_EQ(type_text(DType::kInt64, {64, 128}), "int64 [64, 128]");
  ValueInfo open;
  open.has_rank = false;
  EXPECT_EQ(shape_text(open), "of any shape");
}

}  // namespace
}  // namespace mpq::data::testing
