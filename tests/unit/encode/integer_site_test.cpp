#include "encode/integer_site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "small_models.h"

namespace mpq::encode::testing {
namespace {

using ::testing::HasSubstr;

class IntegerSites : public ModelFiles {
 protected:
  /// Of the first layer.
  IntegerSite site(const std::string& body, int opset = 17) const {
    const Model model = load(model_proto(body, opset));
    const std::vector<IntegerSite> sites = integer_sites(model);
    EXPECT_EQ(sites.size(), model.layers().size());
    return sites.at(0);
  }
  /// A Gemm of x [2,16] with w, `rest` being its attributes and `bias` its third input.
  IntegerSite gemm(const std::string& rest, const std::string& bias = "") const {
    return site(
        "g (float[2,16] x) => (float[2,16] y) <float[16,16] w = {0}, float[16] b = {0}, float[1,16] b2 = {0}> "
        "{ y = Gemm" +
        rest + "(x, w" + bias + ") }");
  }
};

TEST_F(IntegerSites, Products) {
  const IntegerSite found = site("g (float[2,16] x) => (float[2,16] y) <float[16,16] w = {0}> { y = MatMul(x, w) }");
  EXPECT_TRUE(found.possible);
  EXPECT_FALSE(found.transposed);
  EXPECT_EQ(found.reason, "");
}

TEST_F(IntegerSites, GemmsInTheirPlainForm) {
  EXPECT_TRUE(gemm("", ", b").possible);
  EXPECT_TRUE(gemm("<transB = 1>", ", b").transposed);
  EXPECT_FALSE(gemm("", ", b").transposed);
  EXPECT_TRUE(gemm("<alpha = 1.0, beta = 1.0>").possible);
  EXPECT_THAT(gemm("<alpha = 0.5>").reason, HasSubstr("alpha or beta other than 1"));
  EXPECT_THAT(gemm("<beta = 2.0>", ", b").reason, HasSubstr("alpha or beta other than 1"));
  EXPECT_THAT(gemm("<transA = 1>").reason, HasSubstr("transposed input"));
  EXPECT_THAT(gemm("", ", b2").reason, HasSubstr("a bias only where it is constant"));
}

TEST_F(IntegerSites, RowsAreLookedUpAlongTheFirstAxis) {
  const std::string table = "g (int64[3] x) => (float[3,16] y) <float[16,16] w = {0}> { y = Gather";
  EXPECT_TRUE(site(table + "(w, x) }").lookup);
  EXPECT_TRUE(site(table + "<axis = 0>(w, x) }").possible);
  EXPECT_THAT(site("g (int64[3] x) => (float[16,3] y) <float[16,16] w = {0}> { y = Gather<axis = 1>(w, x) }").reason,
              HasSubstr("by rows"));
  EXPECT_THAT(site("g (int64[3] x) => (float[3,256] y) <float[1,256] w = {0}> { y = Gather(w, x) }").reason,
              HasSubstr("by rows"));
  EXPECT_THAT(site("g (int64[3] x) => (float[3,16] y) <float[16,16] w = {0}> "
                   "{ a = Gather(w, x) b = MatMul(a, w) y = Add(a, b) }")
                  .reason,
              HasSubstr("more than one reader"));
  EXPECT_FALSE(site(table + "(w, x) }", 12).possible);
}

TEST_F(IntegerSites, OtherOperatorsHaveNoKernel) {
  EXPECT_THAT(site(kConvolutions).reason, HasSubstr("no integer kernel runs Conv"));
  EXPECT_THAT(site("g (float[4,2,8] x) => (float[4,2,8] y) <float[4,8,8] w = {0}> { y = MatMul(x, w) }").reason,
              HasSubstr("two axes only"));
}

TEST_F(IntegerSites, WeightsMustBeReadOnceAndDirectly) {
  EXPECT_THAT(site(kShared).reason, HasSubstr("more than one reader"));
  EXPECT_THAT(
      site("g (float[2,16] x) => (float[2,16] y, float[16,16] w) <float[16,16] w = {0}> { y = MatMul(x, w) }").reason,
      HasSubstr("more than one reader"));
  EXPECT_THAT(
      site("g (float[2,16] x) => (float[2,16] y) <float[16,16] w = {0}> { t = Transpose(w)  y = MatMul(x, t) }").reason,
      HasSubstr("does not enter the operator directly"));
  EXPECT_FALSE(site("g (float[16,2] x) => (float[16,2] y) <float[16,16] w = {0}> { y = MatMul(w, x) }").possible);
}

TEST_F(IntegerSites, WeightsOfBodiesAreFolded) {
  const Model model = load(model_proto(kBranches));
  for (const IntegerSite& found : integer_sites(model)) EXPECT_FALSE(found.possible);
}

TEST_F(IntegerSites, OldOpsetsAndOtherTypesAreFolded) {
  EXPECT_THAT(site(kProducts, 12).reason, HasSubstr("which opset 12 lacks"));
  EXPECT_TRUE(site(kProducts, 13).possible);
  EXPECT_THAT(integer_sites(load(half_model()))[0].reason, HasSubstr("this weight is float16"));
}

TEST_F(IntegerSites, FloatSitesAreNone) {
  const std::vector<IntegerSite> sites = float_sites(load(model_proto(kProducts)));
  ASSERT_EQ(sites.size(), 3U);
  for (const IntegerSite& found : sites) EXPECT_FALSE(found.possible);
}

TEST(ClearTransposition, RemovesTheAttributeOfTheReader) {
  onnx::ModelProto proto = model_proto(kProducts);
  clear_transposition(*proto.mutable_graph(), "w3");
  for (const onnx::NodeProto& node : proto.graph().node()) EXPECT_EQ(node.attribute_size(), 0);
  EXPECT_THROW(clear_transposition(*proto.mutable_graph(), "w3"), Error);
}

}  // namespace
}  // namespace mpq::encode::testing
