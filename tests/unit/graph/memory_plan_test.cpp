#include "graph/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "parsed_model.h"

namespace mpq::graph {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kGibibyte = std::int64_t{1} << 30;

/// A model whose weights have these sizes; nobody looks at their bytes.
Model sized(const std::vector<std::int64_t>& weights, bool mapped) {
  const Model small = testing::model_of("g (float[2] x) => (float[2] y) { y = Relu(x) }");
  auto impl = std::make_shared<Model::Impl>(small.impl());
  const auto store = std::make_shared<TensorStore>();
  for (const std::int64_t bytes : weights) {
    static const std::byte kNothing{};
    const std::span<const std::byte> span(&kNothing, static_cast<std::size_t>(bytes));
    if (mapped) {
      // An owner that is never looked at stands for the file.
      store->add_mapped(span, std::shared_ptr<const MappedFile>(reinterpret_cast<const MappedFile*>(&kNothing),
                                                                [](const MappedFile*) {}));
    } else {
      store->add(span, nullptr);
    }
  }
  impl->store = store;
  return Model(impl);
}

TEST(PlanMemory, SmallModelsRunAsAWhole) {
  const Model model = sized({4 << 20, 4 << 20}, true);
  EXPECT_FALSE(plan_memory(model, 0).pieces);
  EXPECT_FALSE(plan_memory(model, kGibibyte).pieces);
}

TEST(PlanMemory, APieceHoldsTheLargestLayerAndTheSharesStayWithinTheLimit) {
  const std::vector<std::int64_t> weights(60, 100 << 20);
  for (const std::int64_t limit : {kGibibyte, 2 * kGibibyte, 4 * kGibibyte}) {
    const MemoryPlan plan = plan_memory(sized(weights, true), limit);
    EXPECT_TRUE(plan.pieces);
    EXPECT_EQ(plan.limit_bytes, limit);
    EXPECT_GE(plan.piece_bytes, weights[0]);
    EXPECT_LT(plan.piece_bytes + plan.crossing_bytes + plan.working_bytes, limit);
    EXPECT_GT(plan.working_bytes, 5 * weights[0]);
  }
}

TEST(PlanMemory, ALimitThatCannotBeMetNamesTheLeastThatCan) {
  const Model model = sized(std::vector<std::int64_t>(60, 100 << 20), true);
  EXPECT_NO_THROW(plan_memory(model, least_memory_bytes(model)));
  try {
    plan_memory(model, least_memory_bytes(model) - 1);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("at least 956 MB"));
  }
}

TEST(PlanMemory, WeightsInTheModelFileItselfCountAsAWhole) {
  const std::vector<std::int64_t> weights(60, 10 << 20);
  const std::int64_t outside = least_memory_bytes(sized(weights, true));
  const Model inside = sized(weights, false);
  EXPECT_EQ(least_memory_bytes(inside), outside + 60 * (10 << 20));
  try {
    plan_memory(inside, outside);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.hint(), HasSubstr("external data"));
  }
}

}  // namespace
}  // namespace mpq::graph
