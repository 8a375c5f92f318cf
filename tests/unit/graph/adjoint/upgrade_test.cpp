#include "graph/adjoint/upgrade.h"

#include <gtest/gtest.h>

#include "differences.h"
#include "graph/adjoint/rule.h"

namespace mpq::graph::adjoint {
namespace {

using testing::expect_gradient;
using testing::gaussians;

struct Case {
  std::string name;
  Shape weight;
  std::string body;            ///< computes y from h = x * w
  std::string functions = {};  ///< of the domain "local"
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

const std::vector<Case> kCases = {
    {"Celu", {3, 4}, "y = Celu<alpha = 0.7>(h)"},
    {"ReduceLogSum", {2, 3}, "a = Constant<value = int64[1] {1}>() b = Exp(h) y = ReduceLogSum(b, a)"},
    {"MeanVarianceNormalization", {2, 3, 4, 4}, "y = MeanVarianceNormalization(h)"},
    {"GroupNormalization",
     {2, 6, 3},
     "s = Constant<value = float[3] {1, 2, -1}>() b = Constant<value = float[3] {0, 1, 2}>() "
     "y = GroupNormalization<num_groups = 3>(h, s, b)"},
    {"LocalFunction",
     {3, 4},
     "y = local.twice(h)",
     R"( <opset_import: ["" : 18], domain: "local"> twice (a) => (c) { b = Tanh(a) c = Add(b, a) })"},
};

class WrittenOutTest : public ::testing::TestWithParam<Case> {};

TEST_P(WrittenOutTest, MatchesCentralDifferences) {
  const Case& c = GetParam();
  RunForm form;
  const std::string text = R"(<ir_version: 8, opset_import: ["" : 18, "local" : 1]> g (float x) => (float y) { )"
                           "h = Mul(x, w) " +
                           c.body + " }" + c.functions;
  const auto status = onnx::OnnxParser::Parse(form.model, text.c_str());
  ASSERT_TRUE(status.IsOK()) << status.ErrorMessage();
  auto& graph = *form.model.mutable_graph();
  for (auto* info : {graph.mutable_input(0), graph.mutable_output(0)}) {
    info->mutable_type()->mutable_tensor_type()->mutable_shape();
    info->mutable_type()->mutable_tensor_type()->clear_shape();
  }
  for (const auto extent : c.weight) {
    graph.mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(extent);
  }
  const std::vector<float> w = gaussians(1, count_of(c.weight));
  testing::add_floats(form.model, "w", c.weight, w);
  const Feed feed{{"x", testing::tensor_of(c.weight, gaussians(2, count_of(c.weight)))}};
  const RunForm upgrade = upgraded(form);
  for (const auto& node : upgrade.model.graph().node()) {
    const bool is_known = rules().count(node.op_type()) > 0 || locally_constant(node.op_type());
    EXPECT_TRUE(is_known || node.op_type() == "Constant" || node.op_type() == "Range") << node.op_type();
  }
  expect_gradient(upgrade.model, c.weight, w, feed);
}

INSTANTIATE_TEST_SUITE_P(Operators, WrittenOutTest, ::testing::ValuesIn(kCases),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace mpq::graph::adjoint
