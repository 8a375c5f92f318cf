#include "calibrate/input_rows.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "../analyze/fixtures.h"
#include "calibrate/patches.h"
#include "runtime/session.h"

namespace mpq::calibrate {
namespace {

using testing_models::gaussians;

Tensor tensor_of(const std::vector<std::int64_t>& shape, std::uint64_t key) {
  Tensor tensor(DType::kFloat32, shape);
  const auto values = gaussians(key, static_cast<std::size_t>(tensor.size()), 1);
  std::copy(values.begin(), values.end(), tensor.as_mutable<float>().begin());
  return tensor;
}

struct ConvCase {
  std::string attributes;
  std::vector<std::int64_t> input, weight;
  std::size_t groups = 1;
};

/// The runtime's own convolution is the yardstick: kernel times patch must give its numbers, position by position.
void expect_runtime_convolution(const ConvCase& c) {
  std::string dims;
  for (std::size_t i = 0; i < c.input.size(); ++i) dims += (i ? ",D" : "D") + std::to_string(i);
  const onnx::ModelProto proto = testing_models::parse("<ir_version: 8, opset_import: [\"\" : 17]> net (float[" + dims +
                                                           "] x) => (float[" + "N,C" +
                                                           std::string(c.input.size() == 3   ? ",L"
                                                                       : c.input.size() == 4 ? ",H,W"
                                                                                             : ",T,H,W") +
                                                           "] y) { y = Conv<" + c.attributes + ">(x, w) }",
                                                       {{"w", c.weight}});
  const Model model = testing_models::load(proto);
  const Tensor x = tensor_of(c.input, 3);
  const Tensor y = runtime::Session(model).run({{"x", x}})[0];
  const std::vector<float> weight = gaussians(12, model.weight(0).size(), 1);

  const ConvGeometry geometry = conv_geometry(proto.graph().node(0), c.weight);
  const Patches patches(geometry, c.input);
  ASSERT_TRUE(patches.valid()) << c.attributes;
  const auto outputs = static_cast<std::size_t>(c.weight[0]), batch = static_cast<std::size_t>(c.input[0]);
  ASSERT_EQ(patches.positions() * outputs, static_cast<std::size_t>(y.size())) << c.attributes;
  const std::size_t per_sample = patches.positions() / batch, per_group = outputs / c.groups;
  std::vector<std::size_t> all(patches.positions());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  std::vector<float> rows;
  for (std::size_t group = 0; group < c.groups; ++group) {
    patches.gather(x.as<float>(), group, all, patches.taps(all), rows);
    for (std::size_t p = 0; p < all.size(); ++p) {
      for (std::size_t o = group * per_group; o < (group + 1) * per_group; ++o) {
        double sum = 0;
        for (std::size_t k = 0; k < patches.columns(); ++k) {
          sum += static_cast<double>(rows[p * patches.columns() + k]) * weight[o * patches.columns() + k];
        }
        const float expected = y.as<float>()[(p / per_sample * outputs + o) * per_sample + p % per_sample];
        ASSERT_NEAR(sum, expected, 1e-4) << c.attributes << " position " << p << " output " << o;
      }
    }
  }
}

TEST(Patches, AreWhatTheRuntimeConvolves) {
  expect_runtime_convolution({"kernel_shape=[3]", {2, 4, 9}, {8, 4, 3}});
  expect_runtime_convolution({"kernel_shape=[3,3], pads=[1,1,1,1]", {2, 4, 7, 5}, {8, 4, 3, 3}});
  expect_runtime_convolution({"kernel_shape=[1,1], strides=[2,2]", {1, 16, 7, 6}, {8, 16, 1, 1}});
  expect_runtime_convolution(
      {"kernel_shape=[3,2], strides=[2,1], dilations=[2,3], pads=[2,0,1,3]", {2, 6, 11, 9}, {8, 6, 3, 2}});
  expect_runtime_convolution({"kernel_shape=[3,3], group=4, pads=[1,1,1,1]", {1, 8, 6, 6}, {16, 2, 3, 3}, 4});
  expect_runtime_convolution(
      {"kernel_shape=[5,5], group=8, strides=[2,2], pads=[2,2,2,2]", {1, 8, 9, 9}, {8, 1, 5, 5}, 8});
  expect_runtime_convolution(
      {"kernel_shape=[3,3], strides=[2,2], auto_pad=\"SAME_UPPER\"", {1, 8, 8, 7}, {8, 8, 3, 3}});
  expect_runtime_convolution(
      {"kernel_shape=[4,3], strides=[3,2], auto_pad=\"SAME_LOWER\"", {1, 8, 8, 8}, {8, 8, 4, 3}});
  expect_runtime_convolution({"kernel_shape=[3,3], auto_pad=\"VALID\"", {1, 8, 5, 6}, {8, 8, 3, 3}});
  expect_runtime_convolution(
      {"kernel_shape=[2,3,2], strides=[1,2,1], pads=[1,0,0,0,1,1]", {1, 4, 4, 6, 5}, {8, 4, 2, 3, 2}});
}

TEST(Patches, ShapesThatDoNotFitAreToldApart) {
  ConvGeometry geometry{{3, 3}, {1, 1}, {1, 1}, {0, 0, 0, 0}, false, false, 2};
  EXPECT_FALSE(Patches(geometry, {1, 4, 8}).valid());
  EXPECT_FALSE(Patches(geometry, {1, 5, 8, 8}).valid());  // channels in no whole groups
  EXPECT_FALSE(Patches(geometry, {1, 4, 2, 2}).valid());  // smaller than the kernel
  EXPECT_TRUE(Patches(geometry, {1, 4, 8, 8}).valid());
}

bool add(const InputUse& use, const Tensor& activation, Split split, std::size_t most_rows,
         quant::InputStatistics& statistics) {
  quant::RowCollector rows(statistics);
  const bool fits = add_rows(use, activation, split, most_rows, rows);
  rows.flush();
  return fits;
}

TEST(InputRows, ColumnsOfTheRightOperandAreRows) {
  const Tensor x = tensor_of({2, 3, 4}, 5);  // two matrices of [inputs, n]
  quant::InputStatistics found(1, 3), expected(1, 3);
  InputUse use;
  use.kind = InputUse::Kind::kColumns;
  ASSERT_TRUE(add(use, x, Split::kFit, 100, found));
  std::vector<float> rows;
  for (std::size_t b = 0; b < 2; ++b) {
    for (std::size_t n = 0; n < 4; ++n) {
      for (std::size_t k = 0; k < 3; ++k) rows.push_back(x.as<float>()[(b * 3 + k) * 4 + n]);
    }
  }
  expected.add(0, true, rows, 8);
  EXPECT_TRUE(found.fit[0].gram.isApprox(expected.fit[0].gram));
  EXPECT_EQ(found.fit[0].count, 8);
  EXPECT_EQ(found.held_out[0].count, 0);
}

TEST(InputRows, AreCappedAndSplit) {
  quant::InputStatistics statistics(1, 4);
  InputUse use;
  ASSERT_TRUE(add(use, tensor_of({5, 20, 4}, 6), Split::kAlternate, 31, statistics));
  EXPECT_EQ(statistics.fit[0].count, 16);
  EXPECT_EQ(statistics.held_out[0].count, 15);
  EXPECT_FALSE(add(use, tensor_of({5, 20}, 6), Split::kFit, 31, statistics));
}

/// Rows of every state a step starts from, by walking the steps of each direction.
TEST(InputRows, StatesAreThoseThatStepsStartFrom) {
  const std::int64_t steps = 5, directions = 2, batch = 3, hidden = 4;
  const Tensor states = tensor_of({steps, directions, batch, hidden}, 21), start = tensor_of({2, batch, hidden}, 22);
  quant::InputStatistics found(2, static_cast<std::size_t>(hidden));
  const InputUse use{"y", InputUse::Kind::kState, {}, true}, initial{"h", InputUse::Kind::kInitialState, {}, false};
  ASSERT_TRUE(add(use, states, Split::kFit, 1000, found));
  ASSERT_TRUE(add(initial, start, Split::kFit, 1000, found));
  for (std::int64_t d = 0; d < directions; ++d) {
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(hidden);
    const auto add_line = [&](const Tensor& tensor, std::int64_t line) {
      for (std::int64_t i = 0; i < batch * hidden; ++i) {
        sum[i % hidden] += static_cast<double>(tensor.as<float>()[static_cast<std::size_t>(line * batch * hidden + i)]);
      }
    };
    add_line(start, d);
    for (std::int64_t t = 0; t < steps; ++t) {
      const bool starts_a_step = d == 0 ? t + 1 < steps : t > 0;
      if (starts_a_step) add_line(states, t * directions + d);
    }
    EXPECT_EQ(found.fit[static_cast<std::size_t>(d)].count, static_cast<double>(steps * batch));
    EXPECT_LT((found.fit[static_cast<std::size_t>(d)].sum - sum).norm(), 1e-4);
  }
}

}  // namespace
}  // namespace mpq::calibrate
