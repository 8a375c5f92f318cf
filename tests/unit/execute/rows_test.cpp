#include "execute/rows.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

namespace mpq::executing {
namespace {

using ::testing::ElementsAre;

Tensor counted(std::vector<std::int64_t> shape) {
  Tensor tensor(DType::kFloat32, std::move(shape));
  float next = 0;
  for (float& value : tensor.as_mutable<float>()) value = next++;
  return tensor;
}

TEST(Rows, ArePutTogetherAsTheyWere) {
  const Feed whole = {{"a", counted({5, 2})}, {"b", counted({5, 3, 1})}};
  const Feed back = under_each_other({rows_of(whole, 0, 2), rows_of(whole, 2, 3)}, {2, 3});
  for (const auto& [name, tensor] : whole) {
    EXPECT_EQ(back.at(name).shape(), tensor.shape());
    EXPECT_TRUE(std::equal(tensor.as<float>().begin(), tensor.as<float>().end(), back.at(name).as<float>().begin()));
  }
}

TEST(Rows, OfAnOutputThatHasOthersAreRefused) {
  EXPECT_THROW(under_each_other({{{"a", counted({1, 2})}}, {{"a", counted({1, 2})}}}, {2, 3}), Error);
  EXPECT_THROW(under_each_other({{{"a", counted({})}}}, {1}), Error);
}

TEST(Rows, AreDividedInTheGivenRatio) {
  EXPECT_THAT(divide_rows(8, {1, 3}), ElementsAre(2, 6));
  EXPECT_THAT(divide_rows(5, {1, 1}), ElementsAre(3, 2));
  EXPECT_THAT(divide_rows(1, {1, 4, 2}), ElementsAre(0, 1, 0));
}

}  // namespace
}  // namespace mpq::executing
