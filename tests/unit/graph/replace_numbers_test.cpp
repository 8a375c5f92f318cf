#include "graph/replace_numbers.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "graph/tensor_store.h"
#include "parsed_model.h"

namespace mpq::graph::testing {
namespace {

using ::testing::ElementsAre;

onnx::ModelProto bias_model() {
  return parse_graph(R"(g (float[2] x) => (float[2] y) <float[2] b = {1, 2}, int32[2] i = {1, 2}> {
    c = Constant<value = float[2] {3, 4}>()
    s = Add(x, b)
    y = Add(s, c)
  })");
}

TEST(ReplaceNumbers, OfTypedInitializers) {
  onnx::ModelProto proto = bias_model();
  const std::size_t before = proto.ByteSizeLong();
  TensorStore store;
  replace_numbers(proto, store, "b", {5, -6});
  EXPECT_THAT(proto.graph().initializer(0).float_data(), ElementsAre(5, -6));
  EXPECT_EQ(proto.ByteSizeLong(), before);
}

TEST(ReplaceNumbers, OfConstantNodes) {
  onnx::ModelProto proto = bias_model();
  TensorStore store;
  replace_numbers(proto, store, "c", {7, 8});
  EXPECT_THAT(proto.graph().node(0).attribute(0).t().float_data(), ElementsAre(7, 8));
}

TEST(ReplaceNumbers, OfRawHalves) {
  onnx::ModelProto proto = parse_graph("g (float16[n,32] x) => (float16[n,24] y) { y = MatMul(x, w) }");
  onnx::TensorProto& halves = *proto.mutable_graph()->add_initializer();
  halves.set_name("w");
  halves.set_data_type(onnx::TensorProto::FLOAT16);
  halves.add_dims(32);
  halves.add_dims(24);
  halves.set_raw_data(std::string(std::size_t{2} * 32 * 24, '\1'));
  TensorStore store;
  std::vector<float> numbers(32 * 24, 0);
  numbers[1] = 1;
  replace_numbers(proto, store, "w", numbers);
  const std::string& raw = proto.graph().initializer(0).raw_data();
  ASSERT_EQ(raw.size(), 32U * 24 * 2);
  EXPECT_EQ(raw.substr(0, 6), std::string("\x00\x00\x00\x3c\x00\x00", 6));
}

TEST(ReplaceNumbers, OfStoredTensors) {
  onnx::ModelProto proto =
      parse_graph("g (float[n,32] x) => (float[n,64] y) <float[32,64] w1 = {0}> { y = MatMul(x, w1) }");
  TensorStore store;
  onnx::TensorProto& weight = *proto.mutable_graph()->mutable_initializer(0);
  move_to_store(weight, store);
  ASSERT_TRUE(in_store(weight));
  const TensorStore before = store;
  const std::size_t index = store_index(weight);
  replace_numbers(proto, store, "w1", std::vector<float>(32 * 64, 2.5F));
  EXPECT_NE(store_index(weight), index) << "other models may share the entry";
  const auto bytes = store.bytes(store_index(weight));
  float last = 0;
  std::memcpy(&last, bytes.data() + bytes.size() - sizeof last, sizeof last);
  EXPECT_EQ(last, 2.5F);
  EXPECT_EQ(store.field(store_index(weight)), before.field(index));
}

TEST(ReplaceNumbers, RefusesWhatDoesNotFit) {
  onnx::ModelProto proto = bias_model();
  TensorStore store;
  const std::string before = proto.SerializeAsString();
  EXPECT_THROW(replace_numbers(proto, store, "b", {1, 2, 3}), Error);
  EXPECT_THROW(replace_numbers(proto, store, "b", {}), Error);
  EXPECT_THROW(replace_numbers(proto, store, "i", {1, 2}), Error);
  EXPECT_THROW(replace_numbers(proto, store, "s", {1, 2}), Error);
  EXPECT_THROW(replace_numbers(proto, store, "nowhere", {1, 2}), Error);
  EXPECT_EQ(proto.SerializeAsString(), before);
}

}  // namespace
}  // namespace mpq::graph::testing
