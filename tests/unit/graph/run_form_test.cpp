#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/cut.h"
#include "parsed_model.h"

namespace mpq::graph {
namespace {

using ::testing::ElementsAre;
using testing::model_of;
using testing::parse_graph;

std::vector<std::string> operators(const onnx::GraphProto& graph) {
  std::vector<std::string> names;
  for (const auto& node : graph.node()) names.push_back(node.op_type());
  return names;
}

std::vector<std::string> initializers(const onnx::GraphProto& graph) {
  std::vector<std::string> names;
  for (const auto& tensor : graph.initializer()) names.push_back(tensor.name());
  return names;
}

TEST(RunForm, LiftsConstantsSortsNodesAndDropsInitializersFromTheInputs) {
  const Model model = model_of(parse_graph(R"(
      g (float[2,8] x, float[8,16] w) => (float[m, n] y) <float[8,16] w = {0}> {
        y = MatMul(z, v)
        z = MatMul(x, w)
        v = Constant<value = float[16,16] {0}>()
      })",
                                           3));
  const RunForm form = run_form(model);
  EXPECT_EQ(form.model.ir_version(), 4);
  ASSERT_EQ(form.model.graph().input_size(), 1);
  EXPECT_EQ(form.model.graph().input(0).name(), "x");
  EXPECT_THAT(initializers(form.model.graph()), ElementsAre("w", "v"));
  ASSERT_EQ(form.model.graph().node_size(), 2);
  EXPECT_EQ(form.model.graph().node(0).output(0), "z");
  EXPECT_THAT(form.weight_names, ElementsAre("v", "w"));  // in the file's order of uses
  testing::expect_valid(form.model);
}

TEST(RunForm, KeepsConstantsThatAreOutputsOrHoldNoTensor) {
  const Model model = model_of(R"(
      g (float[2,8] x) => (float[m, n] y, float[2,2] k) {
        k = Constant<value = float[2,2] {0}>()
        s = Constant<value_float = 2.0>()
        y = Mul(x, s)
      })");
  const RunForm form = run_form(model);
  EXPECT_THAT(operators(form.model.graph()), ElementsAre("Constant", "Constant", "Mul"));
  testing::expect_valid(form.model);
}

TEST(RunForm, HoistsWeightsOutOfBodiesUnderFreeNames) {
  const Model model = model_of(R"(
      g (bool c, float[2,16] x) => (float[m, n] y) {
        y = If (c) <
          then_branch = t () => (float[m, n] ty) <float[16,16] w = {0}> { ty = MatMul(x, w) },
          else_branch = e () => (float[m, n] ey) { ey = MatMul(x, w) w = Constant<value = float[16,16] {0}>() }
        >
      })");
  const RunForm form = run_form(model);
  EXPECT_THAT(form.weight_names, ElementsAre("w_2", "w_3"));
  EXPECT_THAT(initializers(form.model.graph()), ElementsAre("w_2", "w_3"));
  for (const auto& tensor : form.model.graph().initializer()) EXPECT_EQ(tensor.float_data_size(), 256);
  EXPECT_EQ(graph_at(form.model, "If_0/then_branch").node(0).input(1), "w_2");
  EXPECT_EQ(graph_at(form.model, "If_0/else_branch").node(0).input(1), "w_3");
  EXPECT_EQ(graph_at(form.model, "If_0/else_branch").node_size(), 1);
  testing::expect_valid(form.model);
}

TEST(RunForm, LayersThatCannotBeQuantizedHaveNoWeightName) {
  const RunForm form =
      run_form(model_of("g (float[16,8] x) => (float[m, n] y) <float[16,8] w = {0}> { y = Mul(x, w) }"));
  EXPECT_THAT(form.weight_names, ElementsAre(""));
}

}  // namespace
}  // namespace mpq::graph
