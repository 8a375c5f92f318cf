#include "encode/model_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "encode/integer_site.h"
#include "small_models.h"

namespace mpq::encode::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::SizeIs;

class Writer : public ModelFiles {
 protected:
  /// Every layer as 3-bit numbers, all zeros.
  static onnx::ModelProto in_three_bits(const Model& model) {
    ModelWriter writer(model);
    for (const std::size_t index : quantizable_layers(model)) {
      writer.write_grid(index, storage_form(model.layers()[index], {3, "grid", 0}, model.opset(), IntegerSite{}),
                        nullptr);
    }
    return writer.finish("plan").proto;
  }
};

std::vector<std::string> outputs_of(const onnx::GraphProto& graph) {
  std::vector<std::string> names;
  for (const auto& node : graph.node()) names.insert(names.end(), node.output().begin(), node.output().end());
  return names;
}

std::vector<std::string> initializers_of(const onnx::GraphProto& graph) {
  std::vector<std::string> names;
  for (const auto& tensor : graph.initializer()) names.push_back(tensor.name());
  return names;
}

TEST_F(Writer, WeightsKeepTheirNames) {
  const onnx::ModelProto written = in_three_bits(load(model_proto(kProducts)));
  EXPECT_THAT(outputs_of(written.graph()), ElementsAre("w1", "w2", "w3", "h", "r", "s", "y"));
  EXPECT_THAT(initializers_of(written.graph()), ElementsAre("b", "w0.q", "w0.s", "w1.q", "w1.s", "w2.q", "w2.s"));
}

TEST_F(Writer, WeightsOfBodiesMoveToTheMainGraph) {
  const onnx::ModelProto written = in_three_bits(load(model_proto(kBranches)));
  EXPECT_THAT(outputs_of(written.graph()), ::testing::UnorderedElementsAre("outer", "w", "v", "y"));
  for (const auto& branch : written.graph().node(3).attribute()) {
    EXPECT_THAT(initializers_of(branch.g()), ElementsAre());
    EXPECT_THAT(outputs_of(branch.g()), Not(Contains("v")));
  }
  graph::testing::expect_valid(written);
}

// Both branches have a weight w of their own, and a third stands in the main graph.
TEST_F(Writer, EqualNamesInBodiesAreToldApart) {
  const Model model = load(model_proto(R"(g (bool c, float[2,16] x) => (float[m,k] y) <float[16,16] w = {0}> {
    h = MatMul(x, w)
    y = If (c) <
      then_branch = t () => (float[m,k] ty) <float[16,16] w = {0}> { ty = MatMul(h, w) },
      else_branch = e () => (float[m,k] ey) <float[16,16] w = {0}> { ey = MatMul(x, w) }
    >
  })"));
  ASSERT_THAT(quantizable_layers(model), SizeIs(3));
  const onnx::ModelProto written = in_three_bits(model);
  graph::testing::expect_valid(written);
  const auto& branches = written.graph().node(4).attribute();
  EXPECT_NE(branches[0].g().node(0).input(1), branches[1].g().node(0).input(1));
  EXPECT_NE(branches[0].g().node(0).input(1), "w");
  EXPECT_EQ(written.graph().node(3).input(1), "w");
}

// A body cannot return a value of the graph around it.
TEST_F(Writer, AWeightABodyReturnsGetsANewName) {
  const Model model = load(model_proto(R"(g (bool c, float[2,16] x) => (float[m,k] y, float[m,k] z) {
    y, z = If (c) <
      then_branch = t () => (float[m,k] ty, float[m,k] w) <float[16,16] w = {0}> { ty = MatMul(x, w) },
      else_branch = e () => (float[m,k] ey, float[m,k] ez) { ey = Identity(x)  ez = Identity(x) }
    >
  })"));
  ASSERT_THAT(quantizable_layers(model), SizeIs(1));
  const onnx::ModelProto written = in_three_bits(model);
  EXPECT_NE(written.graph().node(0).output(0), "w");
  graph::testing::expect_valid(written);
}

TEST_F(Writer, ZerosWeighAsMuchAsNumbers) {
  const Model model = load(model_proto(kProducts));
  const Layer& layer = model.layers()[0];
  const Candidate candidate{5, "grid", 16};
  const StorageForm form = storage_form(layer, candidate, model.opset(), IntegerSite{});
  const quant::QuantizedTensor numbers = quant::quantize_grid(model.weight(0), layer, candidate);
  ModelWriter with(model), without(model);
  with.write_grid(0, form, &numbers);
  without.write_grid(0, form, nullptr);
  ModelWriter::Result a = with.finish("plan"), b = without.finish("plan");
  EXPECT_EQ(graph::serialized_size(a.proto, *a.store, "").model_bytes,
            graph::serialized_size(b.proto, *b.store, "").model_bytes);
}

TEST_F(Writer, RefusesNumbersOfAnotherSize) {
  const Model model = load(model_proto(kProducts));
  const StorageForm form = storage_form(model.layers()[0], {5, "grid", 0}, model.opset(), IntegerSite{});
  quant::QuantizedTensor numbers = quant::quantize_grid(model.weight(0), model.layers()[0], {5, "grid", 0});
  numbers.values.resize(8);
  ModelWriter writer(model);
  EXPECT_THROW(writer.write_grid(0, form, &numbers), Error);
}

TEST_F(Writer, TheSkeletonLosesWhatIsRemoved) {
  const Model model = load(model_proto(kProducts));
  ModelWriter writer(model);
  const std::int64_t before = writer.skeleton_bytes();
  EXPECT_EQ(before, model.facts().bytes);
  writer.remove_weight(0);
  const std::int64_t gone = before - writer.skeleton_bytes();
  EXPECT_GE(gone, 4 * 32 * 64);
  EXPECT_LE(gone, 4 * 32 * 64 + 32) << "a name, a type, two extents and lengths";
}

TEST_F(Writer, TheModelItWritesFromStays) {
  const Model model = load(model_proto(kBranches));
  const std::string before = model.impl().proto.SerializeAsString();
  in_three_bits(model);
  EXPECT_EQ(model.impl().proto.SerializeAsString(), before);
}

TEST_F(Writer, ConstantsOfTheMainGraphChange) {
  const Model model = load(model_proto(kProducts));
  ModelWriter writer(model);
  writer.replace_constant("b", std::vector<float>(16, 3));
  const onnx::ModelProto written = writer.finish("plan").proto;
  for (const auto& tensor : written.graph().initializer()) {
    if (tensor.name() == "b") {
      EXPECT_THAT(tensor.float_data(), ::testing::Each(3));
    }
  }
}

}  // namespace
}  // namespace mpq::encode::testing
