#include "encode/quantized_model.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "encode/metadata.h"
#include "graph/memory_plan.h"
#include "small_models.h"

namespace mpq::encode::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::SizeIs;

class QuantizedModels : public ModelFiles {
 protected:
  QuantizedModel quantized() const {
    const Model model = load(model_proto(kProducts));
    return encoded(model, plan_for(model, {{3, "grid", 0}, {}, {4, "grid", 16}}));
  }
};

TEST_F(QuantizedModels, LoadAsTheyWereSaved) {
  const QuantizedModel result = quantized();
  result.save(path("out.onnx"));
  const Model again = Model::load(path("out.onnx"));
  EXPECT_EQ(again.facts().bytes, result.bytes());
  EXPECT_FALSE(again.impl().had_external_data);
  EXPECT_EQ(again.inputs().size(), 1U);
  EXPECT_EQ(again.outputs()[0].name, "y");
  EXPECT_EQ(graph::serialized_size(again.impl().proto, *again.impl().store, "").model_bytes, result.bytes());
  const PlanText text = parse_plan_text(encode::embedded_plan(again));
  EXPECT_EQ(text.budget, "test");
  EXPECT_THAT(text.layers, ElementsAre(Pair("MatMul_0", "3bit"), Pair("second", "float"), Pair("third", "4bit/b16")));
}

TEST_F(QuantizedModels, WhatIsPackedToDiskIsTheSame) {
  const Model model = load(model_proto(kProducts));
  const Plan plan = plan_for(model, {{3, "grid", 0}, {16, "half", 0}, {4, "grid", 16}});
  QuantizeOptions options;
  quantize(model, plan, options).save(path("memory.onnx"));
  options.memory_limit_bytes = graph::least_memory_bytes(model);
  const QuantizedModel on_disk = quantize(model, plan, options);
  on_disk.save(path("disk.onnx"));
  EXPECT_TRUE(read(path("memory.onnx")) == read(path("disk.onnx")));
  const graph::TensorStore& store = *on_disk.model().impl().store;
  std::size_t mapped = 0;
  for (std::size_t i = 0; i < store.size(); ++i) mapped += store.mapped(i) ? 1 : 0;
  EXPECT_GT(mapped, 0u);
}

TEST_F(QuantizedModels, OfAModelWithExternalDataAreReadByMappingToo) {
  const Model model = load(model_proto(kProducts));
  Model::Impl large = model.impl();
  onnx::TensorProto& tensor = *large.proto.mutable_graph()->add_initializer();
  tensor.set_name("large");
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  tensor.add_dims((kMostInsideBytes + 4) / 4);
  const auto bytes = std::make_shared<std::string>(static_cast<std::size_t>(kMostInsideBytes + 4), '\0');
  auto store = std::make_shared<graph::TensorStore>(*large.store);
  graph::point_to_store(tensor, store->add(std::as_bytes(std::span(*bytes)), bytes), bytes->size());
  large.store = store;
  EXPECT_FALSE(needs_external_data(large));
  large.had_external_data = true;
  EXPECT_TRUE(needs_external_data(large));
  EXPECT_FALSE(needs_external_data(model.impl()));
}

TEST_F(QuantizedModels, EqualPlansGiveEqualBytes) {
  quantized().save(path("1.onnx"));
  quantized().save(path("2.onnx"));
  EXPECT_TRUE(read(path("1.onnx")) == read(path("2.onnx")));
}

TEST_F(QuantizedModels, SavingReplacesWhatStoodThere) {
  write("out.onnx", std::string("old"));
  const QuantizedModel result = quantized();
  result.save(path("out.onnx"));
  EXPECT_EQ(static_cast<std::int64_t>(std::filesystem::file_size(path("out.onnx"))), result.bytes());
  try {
    result.save(path("no/such/folder/out.onnx"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kOutput);
  }
}

TEST_F(QuantizedModels, KeepAnExternalFileWhereTheyMust) {
  const QuantizedModel inside = quantized();
  QuantizedModel::Impl impl = inside.impl();
  impl.external = true;
  const QuantizedModel outside(std::make_shared<QuantizedModel::Impl>(impl));
  outside.save(path("model.onnx"));
  const auto size = [&](const char* name) { return static_cast<std::int64_t>(std::filesystem::file_size(path(name))); };
  EXPECT_EQ(bytes_of(inside.model().impl(), true), size("model.onnx") + size("model.onnx.data"));
  const Model again = Model::load(path("model.onnx"));
  EXPECT_TRUE(again.impl().had_external_data);
  const auto third = again.layers().size() - 1;
  EXPECT_EQ(again.weight(third), inside.model().weight(inside.model().layers().size() - 1));
}

TEST_F(QuantizedModels, ThePlanTellsTrueBytes) {
  const QuantizedModel result = quantized();
  const Plan& plan = result.plan();
  ASSERT_THAT(plan.entries, SizeIs(3));
  // 3 bits of 2048 numbers and 64 scales; 2048 floats; 4 bits of 512 numbers and 16 x 2 scales.
  EXPECT_EQ(plan.entries[0].stored_bytes, 768 + 128);
  EXPECT_EQ(plan.entries[1].stored_bytes, 8192);
  EXPECT_EQ(plan.entries[2].stored_bytes, 256 + 64);
  EXPECT_EQ(plan.stored_bytes, 896 + 8192 + 320);
  EXPECT_EQ(plan.parameters, 2048 + 2048 + 512);
  EXPECT_DOUBLE_EQ(plan.bits_per_weight, 8.0 * 9408 / 4608);
}

// A model that mpq wrote, quantized once more: the first plan's layers stay named.
TEST_F(QuantizedModels, PlansOfAWrittenModelAreMerged) {
  quantized().save(path("first.onnx"));
  const Model first = Model::load(path("first.onnx"));
  const Plan plan = plan_for(first, {{5, "grid", 0}});
  ASSERT_THAT(plan.entries, SizeIs(1)) << "only the layer left in floats";
  const QuantizedModel again = encoded(first, plan);
  again.save(path("second.onnx"));
  EXPECT_EQ(exact_file_bytes(first, plan, RunForm::kFloat),
            static_cast<std::int64_t>(std::filesystem::file_size(path("second.onnx"))));
  EXPECT_THAT(parse_plan_text(encode::embedded_plan(again.model())).layers,
              ElementsAre(Pair("second", "5bit"), Pair("MatMul_0", "3bit"), Pair("third", "4bit/b16")));
}

}  // namespace
}  // namespace mpq::encode::testing
