#include "verify/accuracy.h"

#include <gtest/gtest.h>

#include "mpq/error.h"

#include "support/statistics.h"

namespace mpq::judge {
namespace {

TEST(CompareAccuracy, CountsAndTests) {
  std::vector<Prediction> predictions(10, Prediction{1, 1, 3});
  for (std::size_t i = 0; i < 4; ++i) predictions[i].quantized = 2;  // four right ones lost
  predictions[9] = {0, 1, 3};                                        // one won
  const AccuracyComparison result = compare_accuracy(predictions, std::vector<std::int64_t>(10, 1), "y");
  EXPECT_DOUBLE_EQ(result.reference, 0.9);
  EXPECT_DOUBLE_EQ(result.quantized, 0.6);
  EXPECT_EQ(result.samples, 10);
  EXPECT_DOUBLE_EQ(result.mcnemar_p, mcnemar_exact(4, 1));
}

TEST(CompareAccuracy, RefusesLabelsThatAreNoClass) {
  EXPECT_THROW(compare_accuracy({{1, 1, 3}}, {3}, "y"), Error);
  EXPECT_THROW(compare_accuracy({{1, 1, 3}}, {-1}, "y"), Error);
  EXPECT_NO_THROW(compare_accuracy({{1, 1, 0}}, {300}, "y"));
}

TEST(CompareAccuracy, RefusesSamplesOfSeveralRows) {
  EXPECT_THROW(compare_accuracy({{1, 1, 3}, {-1, -1, 3}}, {1, 1}, "y"), Error);
}

}  // namespace
}  // namespace mpq::judge
