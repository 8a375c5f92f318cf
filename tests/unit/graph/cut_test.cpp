#include "graph/cut.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "parsed_model.h"

namespace mpq::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kResidual;
using testing::model_of;
using ::testing::UnorderedElementsAre;

ValueInfo typed(const std::string& name, std::vector<std::int64_t> shape, DType dtype = DType::kFloat32) {
  ValueInfo info;
  info.name = name;
  info.dtype = dtype;
  info.symbols.resize(shape.size());
  info.shape = std::move(shape);
  return info;
}

std::map<std::string, ValueInfo> types(const std::vector<ValueInfo>& infos) {
  std::map<std::string, ValueInfo> result;
  for (const auto& info : infos) result[info.name] = info;
  return result;
}

template <typename Repeated>
std::vector<std::string> names(const Repeated& parts) {
  std::vector<std::string> result;
  for (const auto& part : parts) result.push_back(part.name());
  return result;
}

std::vector<std::string> written(const onnx::GraphProto& graph) {
  std::vector<std::string> result;
  for (const auto& node : graph.node()) result.push_back(node.output(0));
  return result;
}

TEST(CutBehind, KeepsWhatReadsTheWeightAndFeedsTheRest) {
  const RunForm form = run_form(model_of(kResidual));
  const std::vector<std::string> targets = {"y", "early"};
  EXPECT_THAT(boundary_of(form, 1, targets), ElementsAre("early"));
  EXPECT_THAT(boundary_of(form, 2, targets), ElementsAre("early", "r"));
  EXPECT_THAT(boundary_of(form, 0, targets), ElementsAre("x"));

  const Cut cut = cut_behind(form, 2, targets, types({typed("early", {2, 16}), typed("r", {-1, 16})}));
  EXPECT_THAT(cut.boundary, ElementsAre("early", "r"));
  EXPECT_EQ(cut.weight, "c");
  EXPECT_DOUBLE_EQ(cut.node_share, 2.0 / 6.0);
  EXPECT_THAT(names(cut.model.graph().input()), ElementsAre("early", "r", "c"));
  EXPECT_FALSE(cut.model.graph().input(1).type().tensor_type().shape().dim(0).has_dim_value());
  EXPECT_EQ(cut.model.graph().input(2).type().tensor_type().shape().dim(1).dim_value(), 16);
  EXPECT_THAT(names(cut.model.graph().output()), ElementsAre("y"));  // `early` does not depend on c
  EXPECT_THAT(written(cut.model.graph()), ElementsAre("s", "y"));
  EXPECT_THAT(cut.model.graph().initializer(), IsEmpty());
  testing::expect_valid(cut.model);
}

TEST(CutBehind, LeavesOutWhatDoesNotLeadToTheTargets) {
  const RunForm form = run_form(model_of(kResidual));
  const Cut cut = cut_behind(form, 0, {"early"}, types({typed("x", {2, 16})}));
  EXPECT_THAT(written(cut.model.graph()), ElementsAre("p", "early"));
}

TEST(CutBehind, KeepsConstantExpressionsInside) {
  const RunForm form = run_form(model_of(R"(
      g (float[2,16] x) => (float[2,16] y) <float[16,16] a = {0}, float[16,16] b = {0}> {
        at = Transpose(a)
        bt = Transpose(b)
        half = Constant<value_float = 0.5>()
        p = MatMul(x, at)
        q = MatMul(p, bt)
        y = Mul(q, half)
      })"));
  const Cut first = cut_behind(form, 0, {"y"}, types({typed("x", {2, 16})}));
  EXPECT_THAT(first.boundary, ElementsAre("x"));
  EXPECT_THAT(written(first.model.graph()), ElementsAre("at", "bt", "half", "p", "q", "y"));
  EXPECT_THAT(names(first.model.graph().initializer()), ElementsAre("b"));
  testing::expect_valid(first.model);
  const Cut second = cut_behind(form, 1, {"y"}, types({typed("p", {2, 16})}));
  EXPECT_THAT(second.boundary, ElementsAre("p"));
  EXPECT_THAT(written(second.model.graph()), ElementsAre("bt", "half", "q", "y"));
}

TEST(CutBehind, RandomValuesAreFedNotDrawnAgain) {
  const RunForm form = run_form(model_of(R"(
      g (float[2,16] x) => (float[2,16] y) <float[16,16] a = {0}> {
        p = MatMul(x, a)
        n = RandomNormal<shape = [2, 16]>()
        y = Add(p, n)
      })"));
  EXPECT_THAT(boundary_of(form, 0, {"y"}), ElementsAre("x", "n"));
}

TEST(CutBehind, FeedsWhatBodiesTakeFromOutside) {
  const RunForm form = run_form(model_of(R"(
      g (bool c, float[2,16] x) => (float[m, n] y) <float[16,16] shared = {0}> {
        p = Relu(x)
        q = Neg(x)
        y = If (c) <
          then_branch = t () => (float[m, n] ty) <float[16,16] w = {0}> { u = MatMul(p, w) ty = MatMul(u, shared) },
          else_branch = e () => (float[m, n] ey) { ey = Identity(q) }
        >
      })"));
  ASSERT_EQ(form.weight_names[0], "w_2");
  EXPECT_THAT(boundary_of(form, 0, {"y"}), ElementsAre("c", "p", "q"));
  const Cut cut =
      cut_behind(form, 0, {"y"}, types({typed("c", {}, DType::kBool), typed("p", {2, 16}), typed("q", {2, 16})}));
  EXPECT_THAT(names(cut.model.graph().input()), ElementsAre("c", "p", "q", "w_2"));
  EXPECT_THAT(names(cut.model.graph().initializer()), ElementsAre("shared"));
  testing::expect_valid(cut.model);
}

TEST(CutBehind, SequencesAreMadeInside) {
  const RunForm form = run_form(model_of(R"(
      g (float[2,16] x) => (float[m, n] y) <float[16,16] a = {0}> {
        u = Relu(x)
        v = Neg(x)
        s = SequenceConstruct(u, v)
        t = Identity(s)
        w = ConcatFromSequence<axis = 0>(t)
        p = MatMul(u, a)
        n = SequenceInsert(t, p)
        y = ConcatFromSequence<axis = 0>(n)
      })"));
  EXPECT_THAT(boundary_of(form, 0, {"y"}), ElementsAre("u", "v"));
  const Cut cut = cut_behind(form, 0, {"y"}, types({typed("u", {2, 16}), typed("v", {2, 16})}));
  EXPECT_THAT(written(cut.model.graph()), ElementsAre("s", "t", "p", "n", "y"));
  testing::expect_valid(cut.model);
}

TEST(CutBehind, ValuesOfUnknownTypeAreMadeInsideAsFarAsNeeded) {
  const RunForm form = run_form(model_of(kResidual));
  const Cut cut = cut_behind(form, 2, {"y"}, types({typed("early", {2, 16})}));
  EXPECT_THAT(cut.boundary, ElementsAre("early"));
  EXPECT_THAT(written(cut.model.graph()), ElementsAre("q", "r", "s", "y"));
  EXPECT_THAT(names(cut.model.graph().initializer()), ElementsAre("b"));
  testing::expect_valid(cut.model);
}

TEST(CutBehind, FunctionsAndImportsComeAlong) {
  const RunForm form = run_form(model_of(testing::parse_proto(R"(
      <ir_version: 8, opset_import: ["" : 17, "local" : 1]>
      g (float[2,16] x) => (float[2,16] y) <float[16,16] a = {0}> { p = MatMul(x, a) y = local.twice(p) }
      <domain: "local", opset_import: ["" : 17]>
      twice (a) => (b) { b = Add(a, a) })")));
  const Cut cut = cut_behind(form, 0, {"y"}, types({typed("x", {2, 16})}));
  EXPECT_EQ(cut.model.functions_size(), 1);
  EXPECT_EQ(cut.model.opset_import_size(), 2);
  testing::expect_valid(cut.model);
}

TEST(CutBehind, ALayerWithoutAWeightIsAnInternalError) {
  const RunForm form =
      run_form(model_of("g (float[16,8] x) => (float[m, n] y) <float[16,8] w = {0}> { y = Mul(x, w) }"));
  EXPECT_THROW(boundary_of(form, 0, {"y"}), Error);
}

TEST(LayerOutputs, AreThoseOfTheFirstNodesThatMixTheWeightWithActivations) {
  const RunForm form = run_form(model_of(R"(
      g (int64[5] i) => (float[m, n] y) <float[16,32] w = {0}> {
        e = Gather(w, i)
        r = Relu(e)
        t = Transpose(w)
        u = Identity(t)
        y = MatMul(r, u)
      })"));
  EXPECT_THAT(layer_outputs(form, 0), ElementsAre("e", "y"));
}

TEST(LayerOutputs, OfAWeightInABodyAreThoseOfTheOuterNode) {
  const RunForm form = run_form(model_of(R"(
      g (bool c, float[2,16] x) => (float[m, n] z) {
        y = If (c) <
          then_branch = t () => (float[m, n] ty) <float[16,16] w = {0}> { ty = MatMul(x, w) },
          else_branch = e () => (float[m, n] ey) { ey = Identity(x) }
        >
        z = Relu(y)
      })"));
  EXPECT_THAT(layer_outputs(form, 0), ElementsAre("y"));
}

TEST(WholeWithWeightInput, TakesTheWeightAsAnInput) {
  const RunForm form = run_form(model_of(kResidual));
  const Cut whole = whole_with_weight_input(form, 1);
  EXPECT_EQ(whole.weight, "b");
  EXPECT_THAT(whole.boundary, ElementsAre("x"));
  EXPECT_THAT(names(whole.model.graph().input()), ElementsAre("x", "b"));
  EXPECT_THAT(names(whole.model.graph().initializer()), UnorderedElementsAre("a", "c"));
  EXPECT_DOUBLE_EQ(whole.node_share, 1);
  testing::expect_valid(whole.model);
}

TEST(WithOutputs, ExposesExactlyTheseValues) {
  const RunForm form = run_form(model_of(kResidual));
  const onnx::ModelProto model = with_outputs(form, {"r", "y"});
  EXPECT_THAT(names(model.graph().output()), ElementsAre("r", "y"));
  EXPECT_FALSE(model.graph().output(0).has_type());
  EXPECT_TRUE(model.graph().output(1).has_type());
  EXPECT_THROW(with_outputs(form, {"nothing"}), Error);
}

}  // namespace
}  // namespace mpq::graph
