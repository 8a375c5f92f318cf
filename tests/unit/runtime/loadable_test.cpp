#include "runtime/loadable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/session.h"
#include "stored_graph.h"

namespace mpq::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kMatMul = R"(<ir_version: 8, opset_import: ["" : 17]>
  g (float[1, 64] x) => (float[1, 8] y) { y = MatMul(x, w) })";

double first_of_product(const Tensor& x, const Tensor& w) {
  double sum = 0;
  for (std::size_t k = 0; k < 64; ++k) sum += double{x.as<float>()[k]} * w.as<float>()[k * 8];
  return sum;
}

class Loading : public ::testing::Test {
 protected:
  const Tensor x = normal({1, 64}, 1);
  const Tensor w = normal({64, 8}, 2);

  void expect_product(const StoredGraph& graph) {
    for (const int level : {0, 99}) {
      const Session session(graph.model, graph.store, {.threads = 1, .optimization_level = level});
      EXPECT_NEAR(session.run({{"x", x}})[0].as<float>()[0], first_of_product(x, w), 1e-4);
    }
  }
};

TEST_F(Loading, hands_initializers_over_from_memory) {
  StoredGraph graph(kMatMul);
  graph.weight("w", w);
  const Loadable loadable = make_loadable(graph.model, graph.store);
  EXPECT_THAT(loadable.names, ElementsAre("w"));
  EXPECT_LT(loadable.bytes.size(), w.size_bytes());
  expect_product(graph);
}

TEST_F(Loading, hands_constant_nodes_over_from_memory) {
  StoredGraph graph(R"(<ir_version: 8, opset_import: ["" : 17]>
    g (float[1, 64] x) => (float[1, 8] y) { w = Constant<value = float[1] {0}>() y = MatMul(x, w) })");
  *graph.model.mutable_graph()->mutable_node(0)->mutable_attribute(0)->mutable_t() = graph.stored("", w);
  EXPECT_THAT(make_loadable(graph.model, graph.store).names, ElementsAre("w"));
  expect_product(graph);
}

TEST_F(Loading, puts_tensors_of_subgraphs_back_into_the_model) {
  StoredGraph graph(R"(<ir_version: 8, opset_import: ["" : 17]>
    g (float[1, 64] x) => (float[1, 8] y) {
      c = Constant<value = bool {1}>()
      y = If(c) <
        then_branch = t () => (float[1, 8] a) { v = Constant<value = float[1] {0}>() a = MatMul(x, v) },
        else_branch = e () => (float[1, 8] b) { b = MatMul(x, w) }> })");
  for (onnx::AttributeProto& branch : *graph.model.mutable_graph()->mutable_node(1)->mutable_attribute()) {
    onnx::GraphProto& body = *branch.mutable_g();
    if (branch.name() == "then_branch") {
      *body.mutable_node(0)->mutable_attribute(0)->mutable_t() = graph.stored("", w);
    } else {
      *body.add_initializer() = graph.stored("w", w);
    }
  }
  EXPECT_THAT(make_loadable(graph.model, graph.store).names, IsEmpty());
  expect_product(graph);
}

TEST_F(Loading, hands_over_what_only_a_subgraph_reads) {
  StoredGraph graph(R"(<ir_version: 8, opset_import: ["" : 17]>
    g (float[1, 64] x, bool c) => (float[1, 8] y) {
      y = If(c) <then_branch = t () => (float[1, 8] a) { a = MatMul(x, w) },
                 else_branch = e () => (float[1, 8] b) { m = MatMul(x, w) b = Neg(m) }> })");
  graph.weight("w", w);
  const Session session(graph.model, graph.store);
  Tensor c(DType::kBool, {});
  EXPECT_NEAR(session.run({{"x", x}, {"c", c}})[0].as<float>()[0], -first_of_product(x, w), 1e-4);
}

TEST_F(Loading, puts_tensors_of_functions_back_into_the_model) {
  StoredGraph graph(R"(<ir_version: 8, opset_import: ["" : 17, "local" : 1]>
    g (float[1, 64] x) => (float[1, 8] y) { y = local.product(x) }
    <domain: "local", opset_import: ["" : 17]> product (a) => (b) { v = Constant<value = float[1] {0}>() b = MatMul(a, v) })");
  *graph.model.mutable_functions(0)->mutable_node(0)->mutable_attribute(0)->mutable_t() = graph.stored("", w);
  expect_product(graph);
}

TEST_F(Loading, leaves_out_what_nothing_reads) {
  StoredGraph graph(R"(<ir_version: 8, opset_import: ["" : 17]>
    g (float[1, 64] x) => (float[1, 8] y) { dead = Constant<value = float[1] {0}>() y = MatMul(x, w) })");
  *graph.model.mutable_graph()->mutable_node(0)->mutable_attribute(0)->mutable_t() = graph.stored("", w);
  graph.weight("unread", w).weight("w", w);
  EXPECT_THAT(make_loadable(graph.model, graph.store).names, ElementsAre("w"));
  expect_product(graph);
}

TEST_F(Loading, hands_over_an_initializer_that_is_an_output) {
  StoredGraph graph(R"(<ir_version: 8, opset_import: ["" : 17]>
    g (float[1, 64] x) => (float[1, 64] y, float[64, 8] w) { y = Neg(x) })");
  graph.weight("w", w);
  const Session session(graph.model, graph.store);
  const Tensor out = session.run({{"x", x}}, {"w"})[0];
  EXPECT_EQ(std::memcmp(out.data(), w.data(), w.size_bytes()), 0);
}

TEST_F(Loading, keeps_an_unread_input_optional) {
  StoredGraph graph(R"(<ir_version: 8, opset_import: ["" : 17]>
    g (float[1, 64] x, float[64, 8] unread) => (float[1, 8] y) { y = MatMul(x, w) })");
  graph.weight("unread", w).weight("w", w);
  expect_product(graph);
}

// Sub-byte tensors are what quantized models are made of.
TEST_F(Loading, hands_over_four_bit_weights) {
  StoredGraph graph(R"(<ir_version: 10, opset_import: ["" : 21]>
    g (float[1, 64] x) => (float[1, 64] y) { s = Constant<value = float {0.5}>() d = DequantizeLinear(q, s) y = MatMul(x, d) })");
  std::string packed(64 * 64 / 2, '\0');
  for (std::size_t i = 0; i < packed.size(); ++i) packed[i] = static_cast<char>(i * 37);
  *graph.model.mutable_graph()->add_initializer() = graph.stored("q", onnx::TensorProto::INT4, {64, 64}, packed);
  const auto value = [&](std::size_t index) {
    const int nibble = (static_cast<unsigned char>(packed[index / 2]) >> (index % 2 * 4)) & 15;
    return 0.5 * (nibble < 8 ? nibble : nibble - 16);
  };
  double expected = 0;
  for (std::size_t k = 0; k < 64; ++k) expected += double{x.as<float>()[k]} * value(k * 64 + 3);
  const Session session(graph.model, graph.store, {.threads = 1, .optimization_level = 1});
  EXPECT_NEAR(session.run({{"x", x}})[0].as<float>()[3], expected, 1e-3);
}

}  // namespace
}  // namespace mpq::runtime
