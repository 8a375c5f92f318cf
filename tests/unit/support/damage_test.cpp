#include "support/damage.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "mpq/error.h"

#include "tensors.h"

namespace mpq {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

double reference_at(double i) { return 3 * std::sin(1.7 * i); }
double changed_at(double i) { return reference_at(i) + 0.2 * std::cos(2.3 * i); }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

Tensor softmax(const Tensor& logits) {
  Tensor result(DType::kFloat32, logits.shape());
  const auto columns = static_cast<std::size_t>(logits.shape().back());
  const auto in = logits.as<float>();
  const auto out = result.as_mutable<float>();
  for (std::size_t first = 0; first < in.size(); first += columns) {
    double sum = 0;
    for (std::size_t i = 0; i < columns; ++i) sum += std::exp(static_cast<double>(in[first + i]));
    for (std::size_t i = 0; i < columns; ++i)
      out[first + i] = static_cast<float>(std::exp(static_cast<double>(in[first + i])) / sum);
  }
  return result;
}

// The expected figures of the next tests were computed with NumPy in double precision from the same float inputs.

TEST(KlDivergence, OfLogitsMatchesNumPy) {
  EXPECT_NEAR(kl_divergence(OutputKind::kLogits, made({3, 10}, reference_at), made({3, 10}, changed_at)),
              0.011530174075194917, 1e-7);
}

TEST(KlDivergence, OfLogitsThatLeaveTheClipMatchesNumPyWithinTheClip) {
  const Tensor a =
      made({3, 10}, [](double i) { return static_cast<double>(static_cast<float>(reference_at(i))) * 20; });
  const Tensor b = made({3, 10}, [](double i) { return static_cast<double>(static_cast<float>(changed_at(i))) * 20; });
  EXPECT_NEAR(kl_divergence(OutputKind::kLogits, a, b), 1.221000953857441, 1e-6);
}

TEST(KlDivergence, OfProbabilitiesMatchesNumPy) {
  const Tensor a = softmax(made({3, 10}, reference_at)), b = softmax(made({3, 10}, changed_at));
  EXPECT_NEAR(kl_divergence(OutputKind::kProbabilities, a, b), 0.011530162794441015, 1e-7);
}

TEST(KlDivergence, OfSigmoidOutputsMatchesNumPy) {
  const Tensor a =
      made({3, 10}, [](double i) { return sigmoid(static_cast<double>(static_cast<float>(reference_at(i)))); });
  const Tensor b =
      made({3, 10}, [](double i) { return sigmoid(static_cast<double>(static_cast<float>(changed_at(i)))); });
  EXPECT_NEAR(kl_divergence(OutputKind::kSigmoid, a, b), 0.0012616678853734973, 1e-12);
}

TEST(KlDivergence, IsTheTextbookSumForTwoClasses) {
  const double expected = 0.5 * std::log(0.5 / 0.25) + 0.5 * std::log(0.5 / 0.75);
  EXPECT_NEAR(kl_divergence(OutputKind::kProbabilities, floats({1, 2}, {0.5F, 0.5F}), floats({1, 2}, {0.25F, 0.75F})),
              expected, 1e-8);
  EXPECT_NEAR(kl_divergence(OutputKind::kSigmoid, floats({1}, {0.5F}), floats({1}, {0.25F})), expected, 1e-8);
}

TEST(KlDivergence, IsExactlyZeroForEqualOutputsHoweverManyClassesAreClipped) {
  const Tensor sharp = made({2, 6625}, [](double i) { return i == 3 || i == 7000 ? 1.0 : 1e-12; });
  EXPECT_EQ(kl_divergence(OutputKind::kProbabilities, sharp, sharp), 0);
  const Tensor logits = made({2, 6625}, [](double i) { return i == 3 || i == 7000 ? 90.0 : std::sin(i); });
  EXPECT_EQ(kl_divergence(OutputKind::kLogits, logits, logits), 0);
  EXPECT_EQ(kl_divergence(OutputKind::kSigmoid, sharp, sharp), 0);
}

TEST(KlDivergence, OfLogitsDoesNotChangeWithAShiftOfEitherRow) {
  const Tensor a = made({1, 50}, reference_at), b = made({1, 50}, changed_at);
  const Tensor shifted =
      made({1, 50}, [](double i) { return static_cast<double>(static_cast<float>(changed_at(i))) + 512; });
  EXPECT_NEAR(kl_divergence(OutputKind::kLogits, a, b), kl_divergence(OutputKind::kLogits, a, shifted), 1e-5);
  const Tensor huge = made({1, 3}, [](double i) { return 1e30 * i; });
  EXPECT_EQ(kl_divergence(OutputKind::kLogits, huge, huge), 0);
}

TEST(KlDivergence, TreatsAMaskedClassAsImpossible) {
  const Tensor a = floats({1, 3}, {1, -kInf, 2}), b = floats({1, 3}, {1.1F, -kInf, 2});
  EXPECT_EQ(kl_divergence(OutputKind::kLogits, a, a), 0);
  EXPECT_NEAR(kl_divergence(OutputKind::kLogits, a, b),
              kl_divergence(OutputKind::kLogits, floats({1, 2}, {1, 2}), floats({1, 2}, {1.1F, 2})), 1e-7);
}

TEST(KlDivergence, PassesNanOn) {
  EXPECT_TRUE(std::isnan(kl_divergence(OutputKind::kLogits, floats({1, 2}, {1, 2}), floats({1, 2}, {1, kNan}))));
  EXPECT_TRUE(std::isnan(kl_divergence(OutputKind::kProbabilities, floats({1, 2}, {1, 0}), floats({1, 2}, {1, kNan}))));
  EXPECT_TRUE(std::isnan(kl_divergence(OutputKind::kSigmoid, floats({1, 1}, {1}), floats({1, 1}, {kNan}))));
}

TEST(KlDivergence, RefusesOtherKindsAndShapes) {
  EXPECT_THROW(kl_divergence(OutputKind::kTensor, floats({1}, {1}), floats({1}, {1})), Error);
  EXPECT_THROW(kl_divergence(OutputKind::kLogits, made({1, 4}, reference_at), made({1, 5}, reference_at)), Error);
}

TEST(RowSpread, IsOneLessTheSquaresOfTheProbabilities) {
  const auto tensor = [](const std::vector<std::int64_t>& shape, const std::vector<float>& values) {
    Tensor result(DType::kFloat32, shape);
    std::copy(values.begin(), values.end(), result.as_mutable<float>().begin());
    return result;
  };
  const float two = std::log(2.0F), sixteen = std::log(16.0F);
  EXPECT_NEAR(row_spread(OutputKind::kLogits, tensor({1, 2}, {0, two}), 1), 1 - 5. / 9, 1e-6);
  EXPECT_NEAR(row_spread(OutputKind::kLogits, tensor({2, 2}, {0, two, 7, 7}), 1), (1 - 5. / 9 + .5) / 2, 1e-6);
  EXPECT_NEAR(row_spread(OutputKind::kLogits, tensor({1, 2}, {0, sixteen}), 4), 1 - 5. / 9, 1e-6);
  EXPECT_NEAR(row_spread(OutputKind::kProbabilities, tensor({1, 2}, {1. / 17, 16. / 17}), 4), 1 - 5. / 9, 1e-6);
  EXPECT_NEAR(row_spread(OutputKind::kProbabilities, tensor({1, 3}, {0, 1, 0}), 1), 0, 1e-12);
  EXPECT_EQ(row_spread(OutputKind::kTensor, tensor({1, 2}, {0, two}), 1), 0);
  EXPECT_EQ(row_spread(OutputKind::kLogits, tensor({1, 2}, {0, NAN}), 1), 0);
}

TEST(SquaredError, MatchesNumPy) {
  const Tensor a = made({30}, reference_at), b = made({30}, changed_at);
  EXPECT_NEAR(squared_error(a, b) / energy(a), 0.004519424907486578, 1e-13);
}

TEST(SquaredError, AccumulatesInDoublePrecision) {
  // 2^24 + 1 equal terms: a float sum would stop growing at 2^24.
  const Tensor a = made({(1 << 24) + 1}, [](double) { return 1; });
  EXPECT_EQ(energy(a), (1 << 24) + 1);
}

TEST(SquaredError, ComparesDifferentElementTypes) {
  Tensor halves(DType::kFloat16, {2});
  halves.as_mutable<std::uint16_t>()[0] = 0x3c00;  // 1
  halves.as_mutable<std::uint16_t>()[1] = 0xc000;  // -2
  EXPECT_EQ(squared_error(floats({2}, {1.5F, -2}), halves), 0.25);
}

TEST(SquaredError, AllowsNumbersThatWereNeverFinite) {
  const Tensor a = floats({3}, {kInf, kNan, 3});
  EXPECT_EQ(squared_error(a, a), 0);
  EXPECT_EQ(squared_error(a, floats({3}, {kInf, kNan, 5})), 4);
  EXPECT_EQ(squared_error(a, floats({3}, {-kInf, kNan, 3})), INFINITY);
  EXPECT_EQ(squared_error(a, floats({3}, {kInf, 0, 3})), INFINITY);
  EXPECT_EQ(squared_error(floats({1}, {0}), floats({1}, {kNan})), INFINITY);
  EXPECT_EQ(energy(a), 9);
}

TEST(SampleDamage, MetricsFollowTheirDefinitions) {
  const Tensor a = floats({2}, {3, 4}), b = floats({2}, {3, 5});
  const auto damage = [&](const std::string& metric) { return sample_damage(metric, OutputKind::kTensor, a, b, 50); };
  EXPECT_DOUBLE_EQ(damage("mse"), 1.0 / 50);
  EXPECT_DOUBLE_EQ(damage("kl"), 1.0 / 50);
  EXPECT_DOUBLE_EQ(damage("sqnr"), 1.0 / 25);
  EXPECT_DOUBLE_EQ(damage("relative_l2"), 1.0 / 5);
  EXPECT_NEAR(damage("cosine"), 1 - 29 / (5 * std::sqrt(34.0)), 1e-15);
  EXPECT_THROW(damage("auto"), Error);
  EXPECT_THROW(damage("psnr"), Error);
}

TEST(SampleDamage, UsesTheDistributionForKl) {
  const Tensor a = made({1, 10}, reference_at), b = made({1, 10}, changed_at);
  EXPECT_EQ(sample_damage("kl", OutputKind::kLogits, a, b, 1), kl_divergence(OutputKind::kLogits, a, b));
}

TEST(SampleDamage, IsZeroForEqualOutputsAndNeverNegative) {
  const Tensor a = made({1, 100}, reference_at), zero = Tensor(DType::kFloat32, {1, 100});
  for (const std::string metric : {"kl", "mse", "sqnr", "relative_l2", "cosine"}) {
    EXPECT_NEAR(sample_damage(metric, OutputKind::kLogits, a, a, energy(a)), 0, 1e-15) << metric;
    EXPECT_GE(sample_damage(metric, OutputKind::kLogits, a, a, energy(a)), 0) << metric;
    EXPECT_EQ(sample_damage(metric, OutputKind::kTensor, zero, zero, 0), 0) << metric;
  }
}

TEST(SampleDamage, WhatIsNoNumberIsDestroyed) {
  const Tensor a = floats({1, 2}, {1, 2});
  for (const std::string metric : {"kl", "mse", "sqnr", "relative_l2", "cosine"}) {
    for (const float bad : {kNan, kInf, -kInf}) {
      if (metric == "kl" && bad == -kInf) continue;  // an impossible class is a number
      EXPECT_EQ(sample_damage(metric, OutputKind::kLogits, a, floats({1, 2}, {1, bad}), 1), kDestroyed) << metric;
    }
  }
  EXPECT_EQ(sample_damage("mse", OutputKind::kTensor, a, floats({1, 2}, {1e30F, 0}), 1), kDestroyed);
  EXPECT_EQ(sample_damage("mse", OutputKind::kTensor, a, floats({1, 3}, {1, 2, 3}), 1), kDestroyed);
}

TEST(SampleDamage, OfASilentReferenceIsDestroyedByAnyOutput) {
  const Tensor silent(DType::kFloat32, {1, 4});
  EXPECT_EQ(sample_damage("mse", OutputKind::kTensor, silent, floats({1, 4}, {0, 0, 0, 0.1F}), 0), kDestroyed);
  EXPECT_EQ(sample_damage("cosine", OutputKind::kTensor, silent, floats({1, 4}, {0, 0, 0, 0.1F}), 0), 1);
}

}  // namespace
}  // namespace mpq
