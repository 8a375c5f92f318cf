#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "graph/model_impl.h"
#include "parsed_model.h"

namespace mpq::graph {
namespace {

using ::testing::ElementsAre;
using testing::parse_graph;

constexpr const char* kBranches = R"(
    g (bool c, float[2,16] x) => (float[m, n] y) {
      [pick] y = If (c) <
        then_branch = t () => (float[m, n] ty) <float[16,16] w = {0}> {
          a = MatMul(x, w)
          ty = If (c) <
            then_branch = tt () => (float[m, n] tty) { tty = MatMul(a, w) },
            else_branch = ee () => (float[m, n] eey) <float[16,16] w = {0}> { eey = MatMul(a, w) }
          >
        },
        else_branch = e () => (float[m, n] w) { w = Constant<value = float[2,16] {0}>() }
      >
    })";

WeightSite initializer(const std::string& tensor, const std::string& graph = "", bool is_graph_input = false) {
  return {WeightSite::Storage::kInitializer, tensor, graph, is_graph_input};
}

TEST(GraphAt, FindsEveryBodyByItsPath) {
  const onnx::ModelProto model = parse_graph(kBranches);
  EXPECT_EQ(&graph_at(model, ""), &model.graph());
  EXPECT_EQ(graph_at(model, "pick/then_branch").name(), "t");
  EXPECT_EQ(graph_at(model, "pick/then_branch/If_0/else_branch").name(), "ee");
  EXPECT_EQ(graph_at(model, "pick/else_branch").name(), "e");
}

TEST(GraphAt, RefusesAnUnknownPath) {
  const onnx::ModelProto model = parse_graph(kBranches);
  try {
    graph_at(model, "pick/nowhere");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInternal);
    EXPECT_STREQ(error.what(), "The model has no graph at the path 'pick/nowhere'.");
  }
}

TEST(TensorAt, FindsInitializersAndConstantNodes) {
  const onnx::ModelProto model = parse_graph(kBranches);
  EXPECT_THAT(tensor_at(model, initializer("w", "pick/then_branch")).dims(), ElementsAre(16, 16));
  const WeightSite constant = {WeightSite::Storage::kConstantNode, "w", "pick/else_branch", false};
  EXPECT_THAT(tensor_at(model, constant).dims(), ElementsAre(2, 16));
  EXPECT_THROW(tensor_at(model, initializer("w")), Error);
}

TEST(HoistWeight, RenamesReadsWhereTheWeightIsSeenAndNowhereElse) {
  onnx::ModelProto model = parse_graph(kBranches);
  hoist_weight(model, initializer("w", "pick/then_branch"), "hoisted");
  const auto& outer = graph_at(model, "pick/then_branch");
  EXPECT_EQ(outer.initializer_size(), 0);
  EXPECT_EQ(outer.node(0).input(1), "hoisted");
  EXPECT_EQ(graph_at(model, "pick/then_branch/If_0/then_branch").node(0).input(1), "hoisted");
  const auto& shadowing = graph_at(model, "pick/then_branch/If_0/else_branch");
  EXPECT_EQ(shadowing.node(0).input(1), "w");
  EXPECT_EQ(shadowing.initializer_size(), 1);
  EXPECT_EQ(graph_at(model, "pick/else_branch").node(0).output(0), "w");
}

TEST(HoistWeight, KeepsTheNameOfAnOutput) {
  onnx::ModelProto model = parse_graph(kBranches);
  hoist_weight(model, {WeightSite::Storage::kConstantNode, "w", "pick/else_branch", false}, "hoisted");
  const auto& body = graph_at(model, "pick/else_branch");
  ASSERT_EQ(body.node_size(), 1);
  EXPECT_EQ(body.node(0).op_type(), "Identity");
  EXPECT_EQ(body.node(0).input(0), "hoisted");
  EXPECT_EQ(body.node(0).output(0), "w");
}

TEST(HoistWeight, RemovesTheInputOfAnIr3Initializer) {
  onnx::ModelProto model =
      parse_graph("g (float[2,8] x, float[8,16] w) => (float[m, n] y) <float[8,16] w = {0}> { y = MatMul(x, w) }", 3);
  hoist_weight(model, initializer("w", "", true), "w");
  EXPECT_EQ(model.graph().input_size(), 1);
  EXPECT_EQ(model.graph().initializer_size(), 0);
  EXPECT_EQ(model.graph().node(0).input(1), "w");
  EXPECT_THROW(hoist_weight(model, initializer("w"), "v"), Error);
}

TEST(UnusedName, LooksIntoBodiesAndFunctions) {
  const onnx::ModelProto model = testing::parse_proto(R"(
      <ir_version: 8, opset_import: ["" : 17, "local" : 1]>
      g (bool c, float[2,16] x) => (float[m, n] y) {
        z = If (c) <then_branch = t () => (float[m, n] ty) { ty = Relu(x) }, else_branch = e () => (float[m, n] ey) { ey = Abs(x) }>
        y = local.f(z)
      }
      <domain: "local", opset_import: ["" : 17]>
      f (a) => (b) { ty_2 = Relu(a) b = Neg(ty_2) })");
  EXPECT_EQ(unused_name(model, "ty"), "ty_3");
  EXPECT_EQ(unused_name(model, "a"), "a_2");
  EXPECT_EQ(unused_name(model, "fresh"), "fresh");
}

}  // namespace
}  // namespace mpq::graph
