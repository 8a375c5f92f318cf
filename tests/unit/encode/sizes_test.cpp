#include <filesystem>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "encode/quantized_model.h"
#include "small_models.h"
#include "support/random.h"

namespace mpq::encode::testing {
namespace {

/// What choosing `picks[i]` for layer i may weigh at most, by the table.
std::int64_t bound(const SizeTable& table, const std::vector<std::size_t>& picks, bool changed) {
  std::int64_t bytes = table.facts.base_bytes;
  std::set<std::string> needed;
  for (std::size_t i = 0; i < picks.size(); ++i) {
    bytes += table.file_bytes[i][picks[i]];
    needed.insert(table.functions[i][picks[i]]);
  }
  if (!changed) return bytes;
  for (const FunctionSize& function : table.facts.functions)
    bytes += needed.count(function.name) > 0 ? function.bytes : 0;
  return bytes + table.facts.fixed_bytes;
}

/// Everything the layers of the model could become.
std::vector<std::vector<Candidate>> choices_for(const Model& model) {
  std::vector<std::vector<Candidate>> choices;
  for (const std::size_t index : quantizable_layers(model)) {
    const Layer& layer = model.layers()[index];
    auto& list = choices.emplace_back();
    for (int bits = 2; bits <= 8; ++bits) list.push_back({bits, "grid", 0});
    const bool blocks = layer.block_axis >= 0 && layer.shape[static_cast<std::size_t>(layer.block_axis)] % 16 == 0;
    if (blocks) list.insert(list.end(), {{3, "grid", 16}, {4, "grid", 16}, {8, "grid", 16}});
    list.insert(list.end(), {{16, "half", 0}, {32, "float", 0}});
  }
  return choices;
}

class Sizes : public ModelFiles {
 protected:
  /// Bytes of the plan's file, by the disk.
  std::int64_t weigh(const Model& model, const Plan& plan, RunForm run_form) const {
    const QuantizedModel result = encoded(model, plan, run_form);
    result.save(path("out.onnx"));
    const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(path("out.onnx")));
    EXPECT_EQ(result.bytes(), bytes);
    EXPECT_EQ(result.plan().file_bytes, bytes);
    return bytes;
  }

  void check_random_plans(const Model& model, RunForm run_form, std::uint64_t stream) const {
    const std::vector<std::vector<Candidate>> choices = choices_for(model);
    const SizeTable table = size_table(model, choices, run_form);
    const Philox random(17, stream);
    for (std::uint64_t trial = 0; trial < 12; ++trial) {
      std::vector<std::size_t> picks;
      std::vector<Candidate> candidates;
      for (std::size_t i = 0; i < choices.size(); ++i) {
        picks.push_back(random.block(trial)[i] % choices[i].size());
        candidates.push_back(choices[i][picks[i]]);
      }
      const Plan plan = plan_for(model, candidates);
      const std::int64_t bytes = weigh(model, plan, run_form);
      EXPECT_EQ(exact_file_bytes(model, plan, run_form), bytes);
      const std::int64_t most = bound(table, picks, true);
      EXPECT_LE(bytes, most);
      EXPECT_GE(bytes, most - table.facts.fixed_bytes) << "the table counts too much";
    }
  }
};

TEST_F(Sizes, AreThoseOfTheFileForAnyPlan) {
  std::uint64_t stream = 0;
  for (const SmallModel& small : small_models()) {
    SCOPED_TRACE(small.name);
    const Model model = load(small.proto);
    ASSERT_GE(quantizable_layers(model).size(), 1U);
    check_random_plans(model, RunForm::kFloat, ++stream);
    check_random_plans(model, RunForm::kInteger, ++stream);
  }
}

TEST_F(Sizes, OfAnUntouchedModelAreItsOwn) {
  for (const SmallModel& small : small_models()) {
    SCOPED_TRACE(small.name);
    const Model model = load(small.proto);
    const auto size = static_cast<std::int64_t>(std::filesystem::file_size(path("model.onnx")));
    const Plan plan = plan_for(model, {{}});
    EXPECT_EQ(exact_file_bytes(model, plan, RunForm::kFloat), size);
    const std::vector<std::vector<Candidate>> floats(plan.entries.size(), {Candidate{}});
    const SizeTable table = size_table(model, floats, RunForm::kFloat);
    const std::vector<std::size_t> firsts(plan.entries.size(), 0);
    EXPECT_EQ(bound(table, firsts, false), size);
    EXPECT_TRUE(table.facts.functions.empty());
  }
}

TEST_F(Sizes, DoNotDependOnWhereTheWeightsStood) {
  const onnx::ModelProto proto = model_proto(kProducts);
  const Model inside = load(proto);
  const Plan plan = plan_for(inside, {{3, "grid", 0}, {16, "half", 0}, {}});
  graph::write_model(inside.impl().proto, *inside.impl().store, path("outside.onnx"), "outside.data", false);
  const Model outside = Model::load(path("outside.onnx"));
  ASSERT_TRUE(outside.impl().had_external_data);
  for (const RunForm run_form : {RunForm::kFloat, RunForm::kInteger}) {
    EXPECT_EQ(exact_file_bytes(outside, plan, run_form), weigh(outside, plan, run_form));
  }
}

TEST_F(Sizes, TheTableNamesTheFunctionsItCounts) {
  const Model model = load(model_proto(kProducts));
  const SizeTable table = size_table(model, choices_for(model), RunForm::kFloat);
  std::set<std::string> counted;
  for (const FunctionSize& function : table.facts.functions) {
    EXPECT_GT(function.bytes, 0);
    EXPECT_TRUE(counted.insert(function.name).second);
  }
  for (const auto& layer : table.functions) {
    for (std::size_t i = 0; i < layer.size(); ++i) EXPECT_EQ(layer[i].empty(), i + 2 >= layer.size());
    for (const std::string& name : layer) EXPECT_TRUE(name.empty() || counted.count(name) > 0) << name;
  }
  EXPECT_EQ(table.facts.quantizable_parameters, 32 * 64 + 64 * 32 + 16 * 32);
}

TEST_F(Sizes, TheTableWantsCandidatesForEveryLayer) {
  const Model model = load(model_proto(kProducts));
  EXPECT_THROW(size_table(model, {{Candidate{}}}, RunForm::kFloat), Error);
}

// Nothing is read: only the lengths count.
TEST_F(Sizes, FilesBeyondTwoGiBNeedAnExternalOne) {
  Model::Impl impl;
  auto store = std::make_shared<graph::TensorStore>();
  const auto block = std::make_shared<std::string>(std::size_t{1} << 20, '\0');
  onnx::TensorProto tensor;
  graph::point_to_store(tensor, store->add(std::as_bytes(std::span(*block)), block), block->size());
  for (int i = 0; i < 2046; ++i) *impl.proto.mutable_graph()->add_initializer() = tensor;
  impl.store = store;
  EXPECT_FALSE(needs_external_data(impl));
  *impl.proto.mutable_graph()->add_initializer() = tensor;
  EXPECT_TRUE(needs_external_data(impl));
}

}  // namespace
}  // namespace mpq::encode::testing
