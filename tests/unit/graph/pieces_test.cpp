#include "graph/pieces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parsed_model.h"

namespace mpq::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kResidual;
using testing::model_of;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr std::int64_t kMatrix = 16 * 16 * 4;

/// Weights moved to a store, as loaded models have them.
RunForm stored_form(const Model& model) {
  RunForm form = run_form(model);
  const auto store = std::make_shared<TensorStore>();
  for (auto& tensor : *form.model.mutable_graph()->mutable_initializer()) move_to_store(tensor, *store);
  form.store = store;
  return form;
}

std::vector<std::string> written(const RunForm& form, const Piece& piece) {
  std::vector<std::string> names;
  for (const int node : piece.nodes) names.push_back(form.model.graph().node(node).output(0));
  return names;
}

TEST(PiecesOf, OnePieceWhereEverythingFits) {
  const RunForm form = stored_form(model_of(kResidual));
  const auto pieces = pieces_of(form, {"y", "early"}, 3 * kMatrix);
  ASSERT_THAT(pieces, SizeIs(1));
  EXPECT_THAT(pieces[0].inputs, ElementsAre("x"));
  EXPECT_THAT(pieces[0].outputs, UnorderedElementsAre("y", "early"));
  EXPECT_THAT(pieces[0].weights, UnorderedElementsAre("a", "b", "c"));
  EXPECT_EQ(pieces[0].constant_bytes, 3 * kMatrix);
}

TEST(PiecesOf, CutsWhereTheFewestValuesCross) {
  const RunForm form = stored_form(model_of(kResidual));
  const auto pieces = pieces_of(form, {"y"}, 2 * kMatrix);
  ASSERT_THAT(pieces, SizeIs(2));
  // Two matrices fit, but behind the second one `early` and `q` cross: one piece ends behind the first.
  EXPECT_THAT(written(form, pieces[0]), ElementsAre("p", "early"));
  EXPECT_THAT(pieces[0].outputs, ElementsAre("early"));
  EXPECT_THAT(pieces[1].inputs, ElementsAre("early"));
  EXPECT_THAT(pieces[1].outputs, ElementsAre("y"));
  EXPECT_THAT(pieces[1].weights, UnorderedElementsAre("b", "c"));
}

TEST(PiecesOf, ANodeThatDoesNotFitIsAPieceOfItsOwn) {
  const RunForm form = stored_form(model_of(kResidual));
  const auto pieces = pieces_of(form, {"y"}, 1);
  std::vector<int> nodes;
  for (const Piece& piece : pieces) {
    EXPECT_LE(piece.constant_bytes, kMatrix);
    nodes.insert(nodes.end(), piece.nodes.begin(), piece.nodes.end());
  }
  EXPECT_THAT(pieces, SizeIs(3));
  EXPECT_THAT(nodes, ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(PiecesOf, LeavesOutWhatLeadsNowhere) {
  const RunForm form = stored_form(model_of(kResidual));
  const auto pieces = pieces_of(form, {"early"}, 1);
  ASSERT_THAT(pieces, SizeIs(1));
  EXPECT_THAT(written(form, pieces[0]), ElementsAre("p", "early"));
}

constexpr const char* kTurned = R"(
    g (float[2,16] x) => (float[2,16] y) <float[16,16] a = {0}, float[16,16] b = {0}> {
      t = Transpose(a)
      p = MatMul(x, t)
      q = MatMul(p, b)
      y = MatMul(q, t)
    })";

TEST(PiecesOf, ConstantsGoAlongWhereverTheyAreRead) {
  const RunForm form = stored_form(model_of(kTurned));
  const auto pieces = pieces_of(form, {"y"}, kMatrix);
  ASSERT_THAT(pieces, SizeIs(3));
  for (const std::size_t p : {0, 2}) {
    EXPECT_THAT(pieces[p].constants, ElementsAre("a"));
    EXPECT_THAT(pieces[p].computed, ElementsAre("t"));
    EXPECT_THAT(pieces[p].weights, IsEmpty());  // fed, the runtime would turn it at every run
  }
  EXPECT_THAT(pieces[1].weights, ElementsAre("b"));
}

TEST(PiecesOf, WhatIsKnownOfAComputedConstantCounts) {
  const RunForm form = stored_form(model_of(kTurned));
  EXPECT_THAT(pieces_of(form, {"y"}, 2 * kMatrix), SizeIs(1));
  EXPECT_THAT(pieces_of(form, {"y"}, 2 * kMatrix, {{"t", 8 * kMatrix}}), SizeIs(3));
  EXPECT_THAT(pieces_of(form, {"y"}, 2 * kMatrix, {{"t", 1}}), SizeIs(1));
}

TEST(FedModel, HasItsWeightsAsInputs) {
  const RunForm form = stored_form(model_of(kResidual));
  const auto pieces = pieces_of(form, {"y"}, 2 * kMatrix);
  ValueInfo early;
  early.name = "early";
  early.shape = {-1, -1};
  early.symbols = {"", ""};
  const onnx::ModelProto model = fed_model(form, pieces[1], {{"early", early}}, {"r"});
  std::vector<std::string> inputs, outputs;
  for (const auto& input : model.graph().input()) inputs.push_back(input.name());
  for (const auto& output : model.graph().output()) outputs.push_back(output.name());
  EXPECT_THAT(inputs, ElementsAre("early", "b", "c"));
  EXPECT_THAT(outputs, ElementsAre("y", "r"));
  EXPECT_EQ(model.graph().initializer_size(), 0);
}

}  // namespace
}  // namespace mpq::graph
