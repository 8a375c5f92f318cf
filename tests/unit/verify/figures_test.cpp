#include "verify/figures.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace mpq::judge {
namespace {

Tensor tensor(std::vector<std::int64_t> shape, const std::vector<float>& values) {
  Tensor result(DType::kFloat32, std::move(shape));
  std::copy(values.begin(), values.end(), result.as_mutable<float>().begin());
  return result;
}

Tensor labels(const std::vector<std::int64_t>& values) {
  Tensor result(DType::kInt64, {static_cast<std::int64_t>(values.size())});
  std::copy(values.begin(), values.end(), result.as_mutable<std::int64_t>().begin());
  return result;
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(Compare, CountsEachFigureByHand) {
  const Tensor a = tensor({1, 3}, {1, 2, 2}), b = tensor({1, 3}, {1, 2, 4});
  const OutputComparison result = summarize("y", OutputKind::kTensor, {compare(OutputKind::kTensor, a, b)});
  EXPECT_DOUBLE_EQ(result.relative_mse, 4.0 / 9);
  EXPECT_NEAR(result.sqnr_db, 10 * std::log10(9.0 / 4), 1e-12);
  EXPECT_NEAR(result.cosine, (1 + 4 + 8) / (3 * std::sqrt(21.0)), 1e-12);
  EXPECT_DOUBLE_EQ(result.max_abs, 2);
  EXPECT_EQ(result.rows, 0);
  EXPECT_FALSE(result.kl);
  EXPECT_FALSE(result.top1_agreement);
}

TEST(Compare, RowsOfProbabilities) {
  const Tensor a = tensor({2, 2}, {0.9F, 0.1F, 0.4F, 0.6F}), b = tensor({2, 2}, {0.8F, 0.2F, 0.7F, 0.3F});
  const OutputComparison result =
      summarize("p", OutputKind::kProbabilities, {compare(OutputKind::kProbabilities, a, b)});
  const double first = 0.9 * std::log(0.9 / 0.8) + 0.1 * std::log(0.1 / 0.2);
  const double second = 0.4 * std::log(0.4 / 0.7) + 0.6 * std::log(0.6 / 0.3);
  EXPECT_NEAR(*result.kl, (first + second) / 2, 1e-6);
  EXPECT_DOUBLE_EQ(*result.top1_agreement, 0.5);
  EXPECT_EQ(result.rows, 2);
  EXPECT_LT(*result.top1_low, 0.5);
  EXPECT_GT(*result.top1_high, 0.5);
}

TEST(Compare, SigmoidsAreDecisionsOfTheirOwn) {
  const Tensor a = tensor({1, 4}, {0.9F, 0.2F, 0.6F, 0.4F}), b = tensor({1, 4}, {0.7F, 0.6F, 0.55F, 0.1F});
  const OutputComparison result = summarize("s", OutputKind::kSigmoid, {compare(OutputKind::kSigmoid, a, b)});
  EXPECT_EQ(result.rows, 4);
  EXPECT_DOUBLE_EQ(*result.top1_agreement, 0.75);
}

TEST(Compare, LabelsAgreeOrNot) {
  const OutputComparison result =
      summarize("l", OutputKind::kLabels, {compare(OutputKind::kLabels, labels({1, 2, 3}), labels({1, 5, 3}))});
  EXPECT_NEAR(*result.top1_agreement, 2.0 / 3, 1e-12);
  EXPECT_FALSE(result.kl);
}

TEST(Compare, EqualOutputsAreTheBestThereIs) {
  const Tensor a = tensor({1, 3}, {1, 2, 2});
  const OutputComparison result = summarize("y", OutputKind::kLogits, {compare(OutputKind::kLogits, a, a)});
  EXPECT_EQ(result.relative_mse, 0);
  EXPECT_EQ(result.sqnr_db, 300);
  EXPECT_NEAR(result.cosine, 1, 1e-12);
  EXPECT_EQ(*result.kl, 0);
  EXPECT_EQ(*result.top1_agreement, 1);
}

TEST(Compare, NotANumberIsDestroyedAndFinite) {
  const Tensor a = tensor({1, 3}, {1, 2, 2}), b = tensor({1, 3}, {kNan, kNan, kNan});
  for (const OutputKind kind : {OutputKind::kLogits, OutputKind::kTensor, OutputKind::kSigmoid}) {
    const OutputComparison result = summarize("y", kind, {compare(kind, a, b)});
    EXPECT_EQ(result.relative_mse, kDestroyed);
    EXPECT_TRUE(std::isfinite(result.sqnr_db));
    EXPECT_TRUE(std::isfinite(result.max_abs));
    EXPECT_LE(result.cosine, 0);
    EXPECT_EQ(result.kl.value_or(kDestroyed), kDestroyed);
    EXPECT_EQ(result.top1_agreement.value_or(0), 0);
  }
}

TEST(PredictedClass, ComesFromOneRowOneProbabilityOrOneLabel) {
  EXPECT_EQ(predicted_class(OutputKind::kLogits, tensor({1, 3}, {1, 5, 2})), 1);
  EXPECT_EQ(predicted_class(OutputKind::kProbabilities, tensor({3}, {0.1F, 0.1F, 0.8F})), 2);
  EXPECT_EQ(predicted_class(OutputKind::kSigmoid, tensor({1, 1}, {0.7F})), 1);
  EXPECT_EQ(predicted_class(OutputKind::kSigmoid, tensor({1, 1}, {0.3F})), 0);
  EXPECT_EQ(predicted_class(OutputKind::kLabels, labels({7})), 7);
  EXPECT_EQ(predicted_class(OutputKind::kLogits, tensor({2, 2}, {1, 2, 3, 4})), -1);
  EXPECT_EQ(predicted_class(OutputKind::kTensor, tensor({1, 3}, {1, 5, 2})), -1);
  EXPECT_EQ(predicted_class(OutputKind::kLabels, labels({7, 8})), -1);
}

}  // namespace
}  // namespace mpq::judge
