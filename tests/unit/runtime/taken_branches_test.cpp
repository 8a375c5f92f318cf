#include "runtime/taken_branches.h"

#include <gtest/gtest.h>

#include "../analyze/fixtures.h"
#include "graph/run_index.h"
#include "graph/take_branches.h"
#include "runtime/activations.h"

namespace mpq::runtime {
namespace {

using testing_models::load;
using testing_models::parse;

void expect_same(const Feed& found, const Feed& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    const auto a = found.at(name).as<float>(), b = tensor.as<float>();
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-6) << name;
  }
}

Model branching() {
  return load(parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[2,8] x, int64 rate) => (float[2,8] y)
      <int64 sixteen = {16}> {
      is_sixteen = Equal(rate, sixteen)
      h = If(is_sixteen) <
        then_branch = wide () => (float[2,8] r) { a = MatMul(x, v)  r = Relu(a) },
        else_branch = narrow () => (float[2,8] r) { a = MatMul(x, w)  r = Tanh(a) }>
      a = Neg(h)
      y = Identity(a) })",
                    {{"v", {8, 8}}, {"w", {8, 8}}}));
}

Samples with_rates(const Model& model, const std::vector<std::int64_t>& rates) {
  const Samples inputs = Samples::synthetic(model, static_cast<std::int64_t>(rates.size()), 9);
  std::vector<Feed> feeds;
  for (std::size_t i = 0; i < rates.size(); ++i) {
    Feed feed = inputs[i];
    Tensor rate(DType::kInt64, {});
    rate.as_mutable<std::int64_t>()[0] = rates[i];
    feed.insert_or_assign("rate", rate);
    feeds.push_back(std::move(feed));
  }
  return {std::move(feeds), inputs.facts()};
}

TEST(TakenBranches, ABranchThatAllSamplesTakeBecomesPartOfTheMainGraph) {
  const Model model = branching();
  const graph::RunForm form = graph::run_form(model);
  for (const std::int64_t rate : {16, 8}) {
    const Samples samples = with_rates(model, {rate, rate, rate});
    const graph::RunForm taken = taken_branches(form, samples);
    EXPECT_TRUE(graph::branch_conditions(taken).empty());
    const Activations before(form, {"y"}), after(taken, {"y"});
    for (std::size_t i = 0; i < samples.size(); ++i) expect_same(after.of(samples[i]), before.of(samples[i]));
    // The product inside has a name of its own beside the `a` outside.
    EXPECT_GE(taken.index->find("a_2"), 0);
    EXPECT_EQ(taken.index->value(taken.index->find(rate == 16 ? "v" : "w")).readers.size(), 1U);
  }
}

TEST(TakenBranches, ABranchThatChangesFromSampleToSampleStays) {
  const Model model = branching();
  const graph::RunForm form = graph::run_form(model);
  EXPECT_EQ(graph::branch_conditions(form), std::vector<std::string>{"is_sixteen"});
  const graph::RunForm taken = taken_branches(form, with_rates(model, {16, 8}));
  EXPECT_EQ(graph::branch_conditions(taken).size(), 1U);
}

}  // namespace
}  // namespace mpq::runtime
