#include "encode/encode.h"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "encode/metadata.h"
#include "runtime/session.h"
#include "small_models.h"
#include "support/random.h"

namespace mpq::encode::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<Candidate> kMixed = {{3, "grid", 0}, {16, "half", 0}, {4, "grid", 16}};

/// A number for every input of the model: free extents are 2, conditions `condition`, integers 1.
Feed feed_for(const Model& model, bool condition) {
  Feed feed;
  for (const ValueInfo& input : model.inputs()) {
    std::vector<std::int64_t> shape = input.shape;
    for (std::int64_t& extent : shape) extent = extent < 0 ? 2 : extent;
    Tensor tensor(input.dtype, shape);
    if (input.dtype == DType::kBool) {
      tensor.as_mutable<std::uint8_t>()[0] = condition ? 1 : 0;
    } else if (input.dtype == DType::kInt64) {
      std::ranges::fill(tensor.as_mutable<std::int64_t>(), 1);
    } else {
      std::vector<float> values(static_cast<std::size_t>(tensor.size()));
      fill_gaussian(Philox(9), values);
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (input.dtype == DType::kFloat32) tensor.as_mutable<float>()[i] = values[i];
        if (input.dtype == DType::kFloat16) tensor.as_mutable<std::uint16_t>()[i] = quant::to_half(values[i]);
      }
    }
    feed[input.name] = tensor;
  }
  return feed;
}

/// The original model with the numbers its layers stand for written over its weights.
onnx::ModelProto replaced(const Model& model, onnx::ModelProto proto, const Plan& plan) {
  const std::vector<std::size_t> layers = quantizable_layers(model);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::vector<float> values =
        quant::stored_values(model.weight(layers[i]), model.layers()[layers[i]], plan.entries[i].candidate);
    onnx::TensorProto& tensor = graph::tensor_at(proto, model.impl().sites[layers[i]]);
    const bool half = tensor.data_type() == onnx::TensorProto::FLOAT16;
    std::string raw;
    for (const float value : values) {
      const std::uint16_t bits = quant::to_half(value);
      raw.append(half ? reinterpret_cast<const char*>(&bits) : reinterpret_cast<const char*>(&value), half ? 2 : 4);
    }
    tensor.clear_float_data();
    tensor.set_raw_data(raw);
  }
  return proto;
}

void expect_equal_outputs(const Model& one, const Model& other) {
  const runtime::Session first(one), second(other);
  for (const bool condition : {true, false}) {
    const std::vector<Tensor> a = first.run(feed_for(one, condition)), b = second.run(feed_for(one, condition));
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_EQ(a[i].shape(), b[i].shape());
      ASSERT_GT(a[i].size_bytes(), 0U);
      EXPECT_EQ(std::string(reinterpret_cast<const char*>(a[i].data()), a[i].size_bytes()),
                std::string(reinterpret_cast<const char*>(b[i].data()), b[i].size_bytes()));
    }
  }
}

class Encode : public ModelFiles {
 protected:
  static onnx::ModelProto proto_of(const QuantizedModel& result) { return result.model().impl().proto; }
};

TEST_F(Encode, RunsAsTheModelWithItsWeightsReplaced) {
  for (const SmallModel& small : small_models()) {
    SCOPED_TRACE(small.name);
    const Model model = load(small.proto);
    const Plan plan = plan_for(model, kMixed);
    const Model expected = Model::load(write("expected.onnx", replaced(model, small.proto, plan)));
    expect_equal_outputs(encoded(model, plan).model(), expected);
  }
}

TEST_F(Encode, WritesValidModels) {
  for (const SmallModel& small : small_models()) {
    for (const RunForm run_form : {RunForm::kFloat, RunForm::kInteger}) {
      SCOPED_TRACE(small.name);
      encoded(load(small.proto), plan_for(load(small.proto), kMixed), run_form).save(path("out.onnx"));
      onnx::ModelProto written;
      ASSERT_TRUE(written.ParseFromString(read(path("out.onnx"))));
      graph::testing::expect_valid(written);
    }
  }
}

TEST_F(Encode, InputsOutputsAndOpsetStay) {
  for (const SmallModel& small : small_models()) {
    SCOPED_TRACE(small.name);
    const Model model = load(small.proto);
    const onnx::ModelProto written = proto_of(encoded(model, plan_for(model, kMixed), RunForm::kInteger));
    const auto text = [](const auto& infos) {
      std::string all;
      for (const auto& info : infos) all += info.SerializeAsString();
      return all;
    };
    EXPECT_EQ(text(written.graph().input()), text(small.proto.graph().input()));
    EXPECT_EQ(text(written.graph().output()), text(small.proto.graph().output()));
    EXPECT_EQ(written.opset_import(0).version(), small.proto.opset_import(0).version());
    EXPECT_EQ(written.producer_name(), "test");
  }
}

TEST_F(Encode, TheIrVersionRisesOnlyAsNeeded) {
  const auto ir = [&](int opset, int before, const std::vector<Candidate>& candidates, RunForm run_form) {
    const Model model = load(model_proto(kProducts, opset, before));
    return proto_of(encoded(model, plan_for(model, candidates), run_form)).ir_version();
  };
  EXPECT_EQ(ir(11, 6, {{16, "half", 0}}, RunForm::kFloat), 6) << "halves need no function";
  EXPECT_EQ(ir(11, 6, {{3, "grid", 0}}, RunForm::kFloat), 8);
  EXPECT_EQ(ir(17, 9, {{3, "grid", 0}}, RunForm::kFloat), 9);
  EXPECT_EQ(ir(21, 9, {{3, "grid", 0}}, RunForm::kFloat), 9);
  EXPECT_EQ(ir(21, 9, {{4, "grid", 0}}, RunForm::kFloat), 10) << "4-bit tensors are of IR 10";
  EXPECT_EQ(ir(21, 9, {{3, "grid", 0}}, RunForm::kInteger), 10);
}

/// IR 3: every initializer is an input too.
onnx::ModelProto listed_model() {
  onnx::ModelProto proto = model_proto(kProducts, 8, 3);
  for (const onnx::TensorProto& tensor : proto.graph().initializer()) {
    onnx::ValueInfoProto& input = *proto.mutable_graph()->add_input();
    input.set_name(tensor.name());
    auto& type = *input.mutable_type()->mutable_tensor_type();
    type.set_elem_type(tensor.data_type());
    for (const std::int64_t extent : tensor.dims()) type.mutable_shape()->add_dim()->set_dim_value(extent);
  }
  return proto;
}

TEST_F(Encode, ListedInitializersAreNoInputsAfterwards) {
  const Model model = load(listed_model());
  for (const Candidate& candidate : {Candidate{3, "grid", 0}, Candidate{16, "half", 0}}) {
    const Plan plan = plan_for(model, {candidate, {}});
    const onnx::ModelProto written = proto_of(encoded(model, plan));
    ASSERT_EQ(written.graph().input_size(), 1);
    EXPECT_EQ(written.graph().input(0).name(), "x");
    EXPECT_EQ(written.ir_version(), candidate.form == "half" ? 4 : 8);
    const Model expected = Model::load(write("expected.onnx", replaced(model, listed_model(), plan)));
    expect_equal_outputs(encoded(model, plan).model(), expected);
  }
}

TEST_F(Encode, AFunctionIsWrittenOnce) {
  const Model model = load(model_proto(kProducts));
  const onnx::ModelProto written = proto_of(encoded(model, plan_for(model, {{3, "grid", 0}})));
  ASSERT_EQ(written.functions_size(), 1);
  EXPECT_EQ(written.functions(0).name(), "Unpack3bit");
  ASSERT_EQ(written.opset_import_size(), 2);
  EXPECT_EQ(written.opset_import(1).domain(), "mpq");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(written.graph().node(i).op_type(), "Unpack3bit") << "readers come later";
}

// Somebody else's function of the same name and domain.
TEST_F(Encode, ForeignFunctionsKeepTheirNames) {
  onnx::ModelProto proto = model_proto(kProducts);
  onnx::FunctionProto& foreign = *proto.add_functions();
  foreign.set_domain("mpq");
  foreign.set_name("Unpack3bit");
  foreign.add_input("a");
  foreign.add_output("b");
  onnx::NodeProto& node = *foreign.add_node();
  node.set_op_type("Identity");
  node.add_input("a");
  node.add_output("b");
  for (auto* import : {foreign.add_opset_import(), proto.add_opset_import()}) import->set_version(1);
  foreign.mutable_opset_import(0)->set_version(17);
  proto.mutable_opset_import(1)->set_domain("mpq");
  const Model model = load(proto);
  const Plan plan = plan_for(model, {{3, "grid", 0}});
  const onnx::ModelProto written = proto_of(encoded(model, plan));
  ASSERT_EQ(written.functions_size(), 2);
  EXPECT_EQ(written.functions(0).SerializeAsString(), foreign.SerializeAsString());
  EXPECT_EQ(written.functions(1).name(), "Unpack3bit_2");
  EXPECT_EQ(written.graph().node(0).op_type(), "Unpack3bit_2");
  const Model expected = Model::load(write("expected.onnx", replaced(model, proto, plan)));
  expect_equal_outputs(encoded(model, plan).model(), expected);
}

TEST_F(Encode, NamesThatAreTakenAreLeftAlone) {
  onnx::ModelProto proto = model_proto(R"(g (float[2,16] x) => (float[2,16] y) <float[16,16] w = {0}> {
    h = Relu(x)
    y = MatMul(h, w)
  })");
  proto.mutable_graph()->mutable_input(0)->set_name("w0.q");
  proto.mutable_graph()->mutable_node(0)->set_input(0, "w0.q");
  proto.mutable_graph()->mutable_node(0)->set_output(0, "w0.s");
  proto.mutable_graph()->mutable_node(1)->set_input(0, "w0.s");
  const Model model = load(proto);
  const Plan plan = plan_for(model, {{3, "grid", 0}});
  const onnx::ModelProto written = proto_of(encoded(model, plan));
  graph::testing::expect_valid(written);
  EXPECT_THAT(written.graph().node(0).output(), ElementsAre("w"));
  const Model expected = Model::load(write("expected.onnx", replaced(model, proto, plan)));
  expect_equal_outputs(encoded(model, plan).model(), expected);
}

TEST_F(Encode, FloatsForAllLeaveTheModelAsItIs) {
  const Model model = load(model_proto(kProducts));
  const QuantizedModel result = encoded(model, plan_for(model, {{}}));
  EXPECT_EQ(&result.model().impl(), &model.impl());
  EXPECT_EQ(encode::embedded_plan(result.model()), "");
  for (const WrittenLayer& layer : result.layers()) EXPECT_EQ(layer.run_form, "float");
}

TEST_F(Encode, TellsHowEveryLayerRuns) {
  const Model model = load(model_proto(kProducts, 21, 10));
  const QuantizedModel result =
      encoded(model, plan_for(model, {{4, "grid", 0}, {16, "half", 0}, {8, "grid", 0}}), RunForm::kInteger);
  ASSERT_EQ(result.layers().size(), 3U);
  EXPECT_EQ(result.layers()[0].run_form, "int4 kernel");
  EXPECT_EQ(result.layers()[1].run_form, "folded to float");
  EXPECT_EQ(result.layers()[2].run_form, "int8 kernel");
  EXPECT_EQ(result.layers()[2].layer, "third");
  const Model shared = load(model_proto(kShared));
  const WrittenLayer folded = encoded(shared, plan_for(shared, {{4, "grid", 0}}), RunForm::kInteger).layers()[0];
  EXPECT_EQ(folded.run_form, "folded to float");
  EXPECT_THAT(folded.reason, HasSubstr("more than one reader"));
}

TEST_F(Encode, RefusesNumbersOfAnotherCandidate) {
  const Model model = load(model_proto(kProducts));
  const Plan plan = plan_for(model, {{4, "grid", 0}});
  const auto other = [&](std::size_t index) {
    return quant::quantize_grid(model.weight(index), model.layers()[index], {5, "grid", 0});
  };
  EXPECT_THROW(encode(model, plan, Forms{}, other), Error);
}

}  // namespace
}  // namespace mpq::encode::testing
