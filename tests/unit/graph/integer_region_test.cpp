#include "graph/integer_region.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model_files.h"
#include "parsed_model.h"

namespace mpq::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class Integers : public testing::ModelFiles {
 protected:
  Model model(const std::string& body, int opset = 17) {
    return load(
        testing::parse_proto("<ir_version: 8, opset_import: [\"\" : " + std::to_string(opset) + "]> g " + body));
  }
  static std::vector<char> all(const Model& model) { return std::vector<char>(model.layers().size(), 1); }
  /// Every activation has `elements` numbers.
  static RegionFacts facts(const IntegerUnits& units, std::int64_t elements) {
    RegionFacts result;
    for (const IntegerUnit& unit : units.units) {
      result.elements[unit.output] = elements;
      for (const Slot& slot : unit.reads) result.elements[slot.value] = elements;
    }
    return result;
  }
};

constexpr const char* kResidual = R"((float[1,16,8,8] x) => (float[1,16,8,8] y)
    <float[16,16,3,3] w1 = {0}, float[16] b = {0}, float[16,16,3,3] w2 = {0}, float[16,16,3,3] w3 = {0}>
    { c1 = Conv<pads = [1,1,1,1]>(x, w1, b) r1 = Relu(c1) c2 = Conv<pads = [1,1,1,1]>(r1, w2)
      s = Add(c2, r1) r2 = Relu(s) y = Conv<pads = [1,1,1,1]>(r2, w3) })";

TEST_F(Integers, units_take_in_the_activations_behind_them) {
  const Model residual = model(kResidual);
  const IntegerUnits units = integer_units(residual, all(residual));
  ASSERT_EQ(units.units.size(), 4U);
  EXPECT_EQ(units.units[0].output, "r1");
  EXPECT_EQ(units.units[1].output, "c2");
  EXPECT_EQ(units.units[2].kind, IntegerUnit::Kind::kCombining);
  EXPECT_EQ(units.units[2].output, "r2");
  EXPECT_EQ(units.units[3].output, "y");
}

TEST_F(Integers, a_network_of_convolutions_runs_on_integers_from_end_to_end) {
  const Model residual = model(kResidual);
  const IntegerUnits units = integer_units(residual, all(residual));
  const IntegerRegion region = integer_region(residual, units, facts(units, 1024), 0);
  EXPECT_THAT(region.integer, ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(region.values, UnorderedElementsAre("x", "r1", "c2", "r2", "y"));
  EXPECT_GT(saved_time(residual, units, facts(units, 1024), region), 0);
}

TEST_F(Integers, masks_and_barred_units_stay_float_and_so_does_what_does_not_pay_without_them) {
  const Model residual = model(kResidual);
  const IntegerUnits units = integer_units(residual, all(residual));
  RegionFacts known = facts(units, 1024);
  known.float_values = {"c2"};
  EXPECT_THAT(integer_region(residual, units, known, 0).integer, ElementsAre(1, 0, 0, 1));
  known = facts(units, 1024);
  known.float_units = {3};
  EXPECT_THAT(integer_region(residual, units, known, 0).integer, ElementsAre(1, 1, 1, 0));
}

TEST_F(Integers, a_price_takes_an_activation_out_when_it_exceeds_the_time_saved) {
  const Model residual = model(kResidual);
  const IntegerUnits units = integer_units(residual, all(residual));
  RegionFacts known = facts(units, 1024);
  known.price = {{"y", 1}};
  EXPECT_EQ(integer_region(residual, units, known, 1).integer[3], 1);
  EXPECT_EQ(integer_region(residual, units, known, 1e9).integer[3], 0);
}

TEST_F(Integers, small_products_between_large_transitions_stay_float) {
  const Model lonely = model(R"((float[1,16,8,8] x) => (float[1,16,8,8] y) <float[16,1,3,3] w = {0}>
    { n = Neg(x) c = Conv<group = 16, pads = [1,1,1,1]>(n, w) y = Neg(c) })");
  const IntegerUnits units = integer_units(lonely, all(lonely));
  ASSERT_EQ(units.units.size(), 1U);
  EXPECT_THAT(integer_region(lonely, units, facts(units, 1024), 0).integer, ElementsAre(0));
}

TEST_F(Integers, what_hands_integers_on_shares_the_grid_of_its_input) {
  const Model pooled = model(R"((float[1,16,8,8] x) => (float[1,16,2,2] y)
    <float[16,16,3,3] w1 = {0}, float[16,16,3,3] w2 = {0}>
    { c = Conv<pads = [1,1,1,1]>(x, w1) p = MaxPool<kernel_shape = [2,2], strides = [2,2]>(c) y = Conv(p, w2) })");
  const IntegerUnits units = integer_units(pooled, all(pooled));
  const IntegerRegion region = integer_region(pooled, units, facts(units, 1024), 0);
  EXPECT_THAT(region.integer, ElementsAre(1, 1, 1));
  EXPECT_EQ(region.same.at("p"), "c");
}

TEST_F(Integers, a_padding_with_zeros_belongs_to_its_convolution) {
  const Model padded = model(R"((float[1,16,8,8] x) => (float[1,16,8,8] y)
    <float[16,16,3,3] w = {0}, int64[8] pads = {0,0,1,1,0,0,1,1}> { p = Pad(x, pads) y = Conv(p, w) })");
  const IntegerUnits units = integer_units(padded, all(padded));
  ASSERT_EQ(units.units.size(), 1U);
  EXPECT_EQ(units.units[0].reads[0].value, "x");
  EXPECT_EQ(units.units[0].reads[0].node, "p");
}

TEST_F(Integers, layers_without_such_a_kernel_have_a_reason) {
  const auto reason = [&](const std::string& body, int opset = 17) {
    const Model one = model(body, opset);
    return integer_units(one, all(one)).reasons.at(0);
  };
  EXPECT_THAT(reason("(float[1,16,4,4] x) => (float[1,8,9,9] y) <float[16,8,3,3] w = {0}> "
                     "{ y = ConvTranspose<strides = [2,2]>(x, w) }"),
              HasSubstr("ConvTranspose"));
  EXPECT_THAT(reason("(float[1,16,4,4] x) => (float[1,16,2,2] y) <float[16,16,3,3] w = {0}> { y = Conv(x, w) }", 11),
              HasSubstr("opset 11"));
  EXPECT_THAT(reason("(float[4,16] x) => (float[4,16] y) <float[16,16] w = {0}, float[16] b = {0}> "
                     "{ y = Gemm<alpha = 2.0>(x, w, b) }"),
              HasSubstr("alpha"));
}

}  // namespace
}  // namespace mpq::graph
