#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "support/damage.h"
#include "tensors.h"

namespace mpq {
namespace {

/// Rows of `columns` exp(sin) values, scaled to the sum 1.
Tensor softmax_like(std::vector<std::int64_t> shape) {
  Tensor tensor = made(std::move(shape), [](double i) { return std::exp(4 * std::sin(1.3 * i)); });
  const auto columns = static_cast<std::size_t>(tensor.shape().back());
  const auto values = tensor.as_mutable<float>();
  for (std::size_t first = 0; first < values.size(); first += columns) {
    float sum = 0;
    for (std::size_t i = 0; i < columns; ++i) sum += values[first + i];
    for (std::size_t i = 0; i < columns; ++i) values[first + i] /= sum;
  }
  return tensor;
}

Tensor unit_rows(std::vector<std::int64_t> shape) {
  Tensor tensor = made(std::move(shape), [](double i) { return std::sin(1.3 * i + 0.2); });
  const auto columns = static_cast<std::size_t>(tensor.shape().back());
  const auto values = tensor.as_mutable<float>();
  for (std::size_t first = 0; first < values.size(); first += columns) {
    double squares = 0;
    for (std::size_t i = 0; i < columns; ++i) squares += static_cast<double>(values[first + i] * values[first + i]);
    for (std::size_t i = 0; i < columns; ++i) values[first + i] /= static_cast<float>(std::sqrt(squares));
  }
  return tensor;
}

double wave(double i) { return 3 * std::sin(1.7 * i) + 0.5; }

TEST(ClassifyOutput, RowsThatSumToOneAreProbabilities) {
  EXPECT_EQ(classify_output(softmax_like({1, 40, 6625})), OutputKind::kProbabilities);
  EXPECT_EQ(classify_output(softmax_like({1, 1000})), OutputKind::kProbabilities);
  EXPECT_EQ(classify_output(softmax_like({2})), OutputKind::kProbabilities);
  EXPECT_EQ(classify_output(floats({1, 3}, {0, 1, 0})), OutputKind::kProbabilities);
}

TEST(ClassifyOutput, ValuesWithinZeroAndOneAreSigmoid) {
  EXPECT_EQ(classify_output(floats({1, 1}, {0.3F})), OutputKind::kSigmoid);
  EXPECT_EQ(classify_output(floats({1, 1}, {1})), OutputKind::kSigmoid);
  EXPECT_EQ(classify_output(floats({1, 2}, {0.6F, 0.8F})), OutputKind::kSigmoid);  // of length 1, by accident
  EXPECT_EQ(classify_output(Tensor(DType::kFloat32, {1, 1, 480, 480})), OutputKind::kSigmoid);
  EXPECT_EQ(classify_output(made({1, 1, 48, 48}, [](double i) { return 0.5 + 0.49 * std::sin(i); })),
            OutputKind::kSigmoid);
}

TEST(ClassifyOutput, ARowOfFreeNumbersIsLogits) {
  EXPECT_EQ(classify_output(made({1, 1000}, wave)), OutputKind::kLogits);
  EXPECT_EQ(classify_output(made({10}, wave)), OutputKind::kLogits);
  EXPECT_EQ(classify_output(made({1, 2}, wave)), OutputKind::kLogits);
}

TEST(ClassifyOutput, UnitLengthRowsAreEmbeddings) {
  EXPECT_EQ(classify_output(unit_rows({1, 384})), OutputKind::kTensor);
  Tensor positive = unit_rows({1, 384});
  for (float& v : positive.as_mutable<float>()) v = std::abs(v);
  EXPECT_EQ(classify_output(positive), OutputKind::kTensor);
}

TEST(ClassifyOutput, EverythingElseIsATensor) {
  EXPECT_EQ(classify_output(made({2, 1, 128}, wave)), OutputKind::kTensor);  // a recurrent state
  EXPECT_EQ(classify_output(made({1, 16, 384}, wave)), OutputKind::kTensor);
  EXPECT_EQ(classify_output(made({8, 4}, wave)), OutputKind::kTensor);    // boxes
  EXPECT_EQ(classify_output(made({1, 1}, wave)), OutputKind::kSigmoid);   // 0.5
  EXPECT_EQ(classify_output(floats({1, 1}, {-4})), OutputKind::kTensor);  // a regression
  EXPECT_EQ(classify_output(made({1, 50000}, wave)), OutputKind::kTensor);
  EXPECT_EQ(classify_output(made({}, [](double) { return 7; })), OutputKind::kTensor);
  EXPECT_EQ(classify_output(Tensor(DType::kFloat32, {0, 4})), OutputKind::kTensor);
  EXPECT_EQ(classify_output(floats({1, 2}, {std::numeric_limits<float>::quiet_NaN(), 1})), OutputKind::kTensor);
}

TEST(ClassifyOutput, IntegersBooleansAndStringsAreLabels) {
  for (const DType type : {DType::kInt64, DType::kInt32, DType::kUInt8, DType::kBool, DType::kString})
    EXPECT_EQ(classify_output(Tensor(type, {1, 3})), OutputKind::kLabels);
}

TEST(Refine, KeepsWhatHoldsForAllSamples) {
  const Tensor one_hot = floats({1, 3}, {0, 1, 0}), within = floats({1, 3}, {0.2F, 0.3F, 0.1F});
  const Tensor logits = floats({1, 3}, {-4, 2, 9});
  EXPECT_EQ(refine(classify_output(one_hot), one_hot), OutputKind::kProbabilities);
  EXPECT_EQ(refine(classify_output(one_hot), within), OutputKind::kSigmoid);
  EXPECT_EQ(refine(classify_output(within), one_hot), OutputKind::kSigmoid);
  EXPECT_EQ(refine(classify_output(within), logits), OutputKind::kLogits);
  EXPECT_EQ(refine(classify_output(logits), one_hot), OutputKind::kLogits);
  EXPECT_EQ(refine(OutputKind::kSigmoid, made({1, 1, 8, 8}, wave)), OutputKind::kTensor);
  EXPECT_EQ(refine(OutputKind::kTensor, within), OutputKind::kTensor);
}

TEST(OutputKindNames, AreTheReportsWords) {
  EXPECT_STREQ(to_string(OutputKind::kLogits), "logits");
  EXPECT_STREQ(to_string(OutputKind::kProbabilities), "probabilities");
  EXPECT_STREQ(to_string(OutputKind::kSigmoid), "sigmoid");
  EXPECT_STREQ(to_string(OutputKind::kTensor), "tensor");
  EXPECT_STREQ(to_string(OutputKind::kLabels), "labels");
}

TEST(ResolveMetric, TakesKlWhereThereIsADistribution) {
  EXPECT_EQ(resolve_metric("auto", {OutputKind::kTensor, OutputKind::kSigmoid}), "kl");
  EXPECT_EQ(resolve_metric("auto", {OutputKind::kLogits}), "kl");
  EXPECT_EQ(resolve_metric("auto", {OutputKind::kTensor, OutputKind::kLabels}), "mse");
  EXPECT_EQ(resolve_metric("auto", {}), "mse");
  EXPECT_EQ(resolve_metric("sqnr", {OutputKind::kLogits}), "sqnr");
}

}  // namespace
}  // namespace mpq
