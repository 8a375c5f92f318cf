#include "graph/adjoint/facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "differences.h"

namespace mpq::graph::adjoint {
namespace {

TEST(FixedValues, FollowFromShapesButNotFromNumbers) {
  const onnx::ModelProto model = testing::parsed(R"(g (float[2, 3] x) => (float y) {
    s = Shape(x)  one = Constant<value = int64[1] {1}>()  t = Add(s, one)
    n = NonZero(x)  m = Shape(n)  i = Cast<to = 7>(x)  r = Reshape(x, s)  q = Shape(r)  y = Identity(x) })");
  const auto fixed = fixed_values(model);
  for (const char* name : {"s", "one", "t", "q"}) EXPECT_TRUE(fixed.count(name)) << name;
  for (const char* name : {"n", "m", "i", "r", "y"}) EXPECT_FALSE(fixed.count(name)) << name;
}

TEST(Observed, KeepsNumbersOfFixedValuesOnly) {
  const Tensor value = testing::tensor_of({2}, {1, 2});
  EXPECT_THAT(observed(value, true).numbers, ::testing::ElementsAre(1, 2));
  EXPECT_FALSE(observed(value, false).fixed);
  EXPECT_FALSE(observed(Tensor(DType::kFloat32, {kMostNumbers + 1}), true).fixed);
}

}  // namespace
}  // namespace mpq::graph::adjoint
