#include <algorithm>

#include <gtest/gtest.h>

#include "differences.h"
#include "graph/adjoint/write_out.h"

namespace mpq::graph::adjoint {
namespace {

using testing::facts_of;
using testing::gaussians;
using testing::tensor_of;

constexpr std::int64_t kSteps = 5, kBatch = 2, kInputs = 3, kHidden = 4;

struct Case {
  std::string name, op, attributes;
  std::int64_t gates, directions;
  std::string inputs;  ///< behind x, w, r
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

const std::vector<Case> kCases = {
    {"Lstm", "LSTM", "", 4, 1, ", b"},
    {"LstmWithoutBias", "LSTM", "", 4, 1, ""},
    {"LstmReverseFromState", "LSTM", ", direction = \"reverse\"", 4, 1, ", b, , h0, c0"},
    {"LstmBothWays", "LSTM", ", direction = \"bidirectional\"", 4, 2, ", b, , h0, c0"},
    {"LstmNamedActivations", "LSTM", ", activations = [\"Sigmoid\", \"Tanh\", \"Tanh\"]", 4, 1, ", b"},
    {"Gru", "GRU", "", 3, 1, ", b, , h0"},
    {"GruBothWays", "GRU", ", direction = \"bidirectional\"", 3, 2, ", b"},
    {"GruResetsAfter", "GRU", ", linear_before_reset = 1", 3, 1, ", b, , h0"},
    {"GruResetsAfterWithoutBias", "GRU", ", linear_before_reset = 1", 3, 1, ""},
    {"LstmLengths", "LSTM", "", 4, 1, ", b, n"},
    {"LstmLengthsReverseFromState", "LSTM", ", direction = \"reverse\"", 4, 1, ", b, n, h0, c0"},
    {"GruLengthsBothWays", "GRU", ", direction = \"bidirectional\"", 3, 2, ", b, n"},
    {"RnnBothWays", "RNN", ", direction = \"bidirectional\"", 1, 2, ", b, , h0"},
};

struct Network {
  RunForm form;
  Feed feed;
  Shape w_shape, r_shape;
  std::vector<float> w, r;
};

Network network_of(const Case& c) {
  Network n;
  const std::string outputs = c.op == "LSTM" ? "s, h, e" : "s, h";
  const std::string sum = c.op == "LSTM" ? "f = Add(h, e) y = Add(s, f)" : "y = Add(s, h)";  // every output is read
  onnx::ModelProto model =
      testing::parsed("net (float[5,2,3] x) => (float[5,D,2,4] y) { " + outputs + " = " + c.op + "<hidden_size = 4" +
                      c.attributes + ">(x, w, r" + c.inputs + ") " + sum + " }");
  n.w_shape = {c.directions, c.gates * kHidden, kInputs};
  n.r_shape = {c.directions, c.gates * kHidden, kHidden};
  n.w = gaussians(1, count_of(n.w_shape));
  n.r = gaussians(2, count_of(n.r_shape));
  const Shape state = {c.directions, kBatch, kHidden};
  testing::add_floats(model, "w", n.w_shape, n.w);
  testing::add_floats(model, "r", n.r_shape, n.r);
  testing::add_floats(model, "b", {c.directions, 2 * c.gates * kHidden},
                      gaussians(3, c.directions * 2 * c.gates * kHidden));
  testing::add_floats(model, "h0", state, gaussians(4, count_of(state)));
  testing::add_floats(model, "c0", state, gaussians(5, count_of(state)));
  onnx::TensorProto& lengths = *model.mutable_graph()->add_initializer();
  lengths.set_name("n");
  lengths.set_data_type(onnx::TensorProto::INT32);
  lengths.add_dims(kBatch);
  for (const int length : {3, 5}) lengths.add_int32_data(length);
  n.feed["x"] = tensor_of({kSteps, kBatch, kInputs}, gaussians(6, kSteps * kBatch * kInputs));
  n.form.model = model;
  n.form.index = std::make_shared<RunIndex>(model);
  return n;
}

bool holds(const onnx::ModelProto& model, const std::string& op) {
  return std::any_of(model.graph().node().begin(), model.graph().node().end(),
                     [&](const auto& node) { return node.op_type() == op; });
}

class Unrolled : public ::testing::TestWithParam<Case> {};

TEST_P(Unrolled, ComputesWhatTheRuntimesOwnKernelDoes) {
  const Network n = network_of(GetParam());
  const RunForm form = written_out(n.form, facts_of(n.form.model, n.feed));
  ASSERT_FALSE(holds(form.model, GetParam().op));
  const Tensor expected = runtime::Session(n.form.model, testing::no_store()).run(n.feed, {"y"})[0];
  const Tensor found = runtime::Session(form.model, testing::no_store()).run(n.feed, {"y"})[0];
  ASSERT_EQ(found.shape(), expected.shape());
  for (std::size_t i = 0; i < expected.as<float>().size(); ++i) {
    EXPECT_NEAR(found.as<float>()[i], expected.as<float>()[i], 2e-5) << i;
  }
}

TEST_P(Unrolled, HasGradientsOfBothWeights) {
  const Network n = network_of(GetParam());
  const onnx::ModelProto model = written_out(n.form, facts_of(n.form.model, n.feed)).model;
  testing::expect_gradient(model, n.w_shape, n.w, n.feed, 2e-3, 1e-2, "w");
  testing::expect_gradient(model, n.r_shape, n.r, n.feed, 2e-3, 1e-2, "r");
}

INSTANTIATE_TEST_SUITE_P(Recurrent, Unrolled, ::testing::ValuesIn(kCases),
                         [](const auto& tested) { return tested.param.name; });

TEST(UnrolledNodes, WhatIsNotCommonStays) {
  for (const Case& c : {Case{"", "LSTM", ", clip = 0.5", 4, 1, ", b"}, Case{"", "LSTM", ", input_forget = 1", 4, 1, ""},
                        Case{"", "LSTM", ", activations = [\"Sigmoid\", \"Relu\", \"Tanh\"]", 4, 1, ""}}) {
    const Network n = network_of(c);
    EXPECT_EQ(written_out(n.form, facts_of(n.form.model, n.feed)).index, n.form.index) << c.attributes;
  }
}

TEST(UnrolledNodes, LongSequencesStay) {
  const Network n = network_of(kCases[0]);
  FactsMap facts = facts_of(n.form.model, n.feed);
  facts.at("x").shape[0] = 513;
  EXPECT_EQ(written_out(n.form, facts).index, n.form.index);
}

}  // namespace
}  // namespace mpq::graph::adjoint
