#include "graph/validate.h"

#include "spoiled_models.h"

namespace mpq::graph::testing {
namespace {

/// Irregularities that ONNX Runtime lets pass: the model loads, and a finding names them.
struct Irregular {
  const char* name;
  std::function<void(ModelProto&)> change;
  const char* fragment;
};

const std::vector<Irregular>& irregular_models() {
  static const std::vector<Irregular> table = {
      {"Unsorted", [](ModelProto& m) { graph_of(m).mutable_node()->SwapElements(0, 1); },
       "The nodes of the graph are not in topological order"},
      {"RepeatedInitializer", [](ModelProto& m) { *graph_of(m).add_initializer() = weight_of(m); },
       "Several initializers have the name 'w'"},
      {"UnnamedInitializer",
       [](ModelProto& m) {
         graph_of(m).add_initializer()->set_data_type(TensorProto::FLOAT),
             graph_of(m).mutable_initializer(2)->add_dims(0);
       },
       "1 initializers have no name"},
      {"RepeatedOutput", [](ModelProto& m) { *graph_of(m).add_output() = graph_of(m).output(0); },
       "The output 'y' is listed more than once"},
      {"RepeatedImport", [](ModelProto& m) { *m.add_opset_import() = m.opset_import(0); },
       "imports the operator domain 'ai.onnx' more than once"},
      {"MissingMicrosoftImport",
       [](ModelProto& m) {
         add_node(graph_of(m), "FusedMatMul", {"x", "w"}, "z").set_domain("com.microsoft");
       },
       "uses operators of 'com.microsoft' without importing the domain"},
      {"UnknownOperator", [](ModelProto& m) { add_node(graph_of(m), "Frobnicate", {"x"}, "z"); },
       "Neither ONNX nor ONNX Runtime defines the operators 'ai.onnx:Frobnicate'"},
      {"CustomDomain",
       [](ModelProto& m) {
         add_node(graph_of(m), "Frobnicate", {"x"}, "z").set_domain("com.example");
         auto* import = m.add_opset_import();
         import->set_domain("com.example");
         import->set_version(1);
       },
       "'com.example:Frobnicate'"},
      {"Ir3WithoutWeightInputs", [](ModelProto& m) { m.set_ir_version(3); },
       "IR version 3, which requires initializers to be inputs too; these are not: 'w' and 'b'"},
      {"Sparse", [](ModelProto& m) { add_sparse(m); }, "The model holds sparse tensors: 's'"},
      {"Segment", [](ModelProto& m) { weight_of(m).mutable_segment()->set_begin(0); },
       "The tensors 'w' are marked as segments"},
      {"Shadowing",
       [](ModelProto& m) {
         onnx::GraphProto& branch = add_if(m);
         add_node(branch, "Relu", {"x"}, "m");
         add_node(branch, "Relu", {"m"}, "branch_y");
       },
       "Subgraphs write values that the graphs around them define too: 'm'"},
      {"SequenceOutput",
       [](ModelProto& m) {
         add_node(graph_of(m), "SequenceConstruct", {"x"}, "list");
         auto* output = graph_of(m).add_output();
         output->set_name("list");
         output->mutable_type()->mutable_sequence_type()->mutable_elem_type()->mutable_tensor_type()->set_elem_type(1);
       },
       "The output 'list' is a sequence, which mpq keeps in the model but does not measure"},
      {"Training", [](ModelProto& m) { m.add_training_info(); }, "carries training information"},
  };
  return table;
}

class IrregularModel : public ModelFiles, public ::testing::WithParamInterface<Irregular> {};

TEST_P(IrregularModel, IsLoadedWithAFinding) {
  ModelProto model = small_model();
  GetParam().change(model);
  const Model loaded = load(model);
  ASSERT_EQ(loaded.findings().size(), 1u);
  EXPECT_THAT(loaded.findings()[0].what, ::testing::HasSubstr(GetParam().fragment));
  EXPECT_THAT(loaded.findings()[0].what, ::testing::EndsWith("."));
  EXPECT_THAT(loaded.findings()[0].cure, ::testing::EndsWith("."));
}

INSTANTIATE_TEST_SUITE_P(Table, IrregularModel, ::testing::ValuesIn(irregular_models()),
                         [](const auto& entry) { return std::string(entry.param.name); });

using Validate = ModelFiles;

TEST_F(Validate, FindsNothingInAGoodModel) { EXPECT_TRUE(load(small_model()).findings().empty()); }

TEST_F(Validate, SortsUnsortedNodes) {
  ModelProto model = small_model();
  graph_of(model).mutable_node()->SwapElements(0, 1);
  const Model loaded = load(model);
  EXPECT_EQ(loaded.impl().proto.graph().node(0).name(), "multiply");
  EXPECT_EQ(loaded.impl().proto.graph().node(1).name(), "shift");
}

// ONNX Runtime 1.30 computes with the first; measured at every optimization level.
TEST_F(Validate, KeepsTheFirstOfRepeatedInitializers) {
  ModelProto model = small_model();
  *graph_of(model).add_initializer() = weight_of(model);
  graph_of(model).mutable_initializer(2)->mutable_raw_data()->assign(4096, '\0');
  const Model loaded = load(model);
  ASSERT_EQ(loaded.impl().proto.graph().initializer_size(), 2);
  EXPECT_EQ(loaded.impl().proto.graph().initializer(1).name(), "b");
  EXPECT_FLOAT_EQ(loaded.weight(0)[0], -0.48F);
}

// ONNX Runtime 1.30 computes with the last; measured with Softmax, whose meaning changed with opset 13.
TEST_F(Validate, KeepsTheLastOfRepeatedImports) {
  ModelProto model = small_model();
  auto* import = model.add_opset_import();
  import->set_domain("ai.onnx");
  import->set_version(13);
  const Model loaded = load(model);
  EXPECT_EQ(loaded.opset(), 13);
  EXPECT_EQ(loaded.impl().proto.opset_import_size(), 1);
}

TEST_F(Validate, AcceptsTheOtherNameOfTheDefaultDomain) {
  ModelProto model = small_model();
  model.mutable_opset_import(0)->set_domain("ai.onnx");
  graph_of(model).mutable_node(0)->set_domain("ai.onnx");
  const Model loaded = load(model);
  EXPECT_EQ(loaded.opset(), 17);
  EXPECT_TRUE(loaded.findings().empty());
}

TEST_F(Validate, ListsWeightsThatAreInputsTooAsNoInputs) {
  ModelProto model = small_model();
  model.set_ir_version(3);
  for (const auto& tensor : model.graph().initializer()) {
    auto* input = graph_of(model).add_input();
    input->set_name(tensor.name());
    auto* type = input->mutable_type()->mutable_tensor_type();
    type->set_elem_type(tensor.data_type());
    for (const std::int64_t extent : tensor.dims()) type->mutable_shape()->add_dim()->set_dim_value(extent);
  }
  const Model loaded = load(model);
  EXPECT_TRUE(loaded.findings().empty());
  ASSERT_EQ(loaded.inputs().size(), 1u);
  EXPECT_EQ(loaded.inputs()[0].name, "x");
}

TEST_F(Validate, DescribesInputsAndOutputs) {
  ModelProto model = small_model();
  auto* shape = graph_of(model).mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  shape->mutable_dim(0)->set_dim_param("batch");
  shape->mutable_dim(1)->set_dim_value(-7);  // an old way to say "unknown"
  graph_of(model).mutable_output(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  model.set_producer_version("1.2");
  const Model loaded = load(model);
  EXPECT_THAT(loaded.inputs()[0].shape, ::testing::ElementsAre(-1, -1));
  EXPECT_THAT(loaded.inputs()[0].symbols, ::testing::ElementsAre("batch", ""));
  EXPECT_TRUE(loaded.inputs()[0].has_rank);
  EXPECT_FALSE(loaded.outputs()[0].has_rank);
  EXPECT_EQ(loaded.outputs()[0].dtype, DType::kFloat32);
  EXPECT_EQ(loaded.producer(), "mpq-test 1.2");
}

TEST_F(Validate, InfersTheTypeOfUntypedOutputs) {
  ModelProto model = small_model();
  graph_of(model).mutable_output(0)->clear_type();
  const Model loaded = load(model);
  ASSERT_EQ(loaded.outputs().size(), 1u);
  EXPECT_EQ(loaded.outputs()[0].dtype, DType::kFloat32);
  EXPECT_THAT(loaded.outputs()[0].shape, ::testing::ElementsAre(1, 32));
}

TEST_F(Validate, ShowsNoControlCharactersOfHostileNames) {
  ModelProto model = small_model();
  graph_of(model).mutable_node(1)->set_input(1, "\x1b[2Jghost\n");
  EXPECT_THAT(load_error(write("model.onnx", model)).what(), ::testing::HasSubstr("'?[2Jghost?'"));
}

TEST_F(Validate, CountsInsteadOfListingManyNames) {
  ModelProto model = small_model();
  for (int i = 0; i < 50; ++i)
    add_node(graph_of(model), "Custom" + std::to_string(100 + i), {"x"}, "z" + std::to_string(i));
  const Model loaded = load(model);
  ASSERT_EQ(loaded.findings().size(), 1u);
  EXPECT_THAT(loaded.findings()[0].what,
              ::testing::HasSubstr("'ai.onnx:Custom100', 'ai.onnx:Custom101', 'ai.onnx:Custom102' and 47 more."));
}

}  // namespace
}  // namespace mpq::graph::testing
