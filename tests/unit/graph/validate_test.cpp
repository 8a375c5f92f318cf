#include "graph/validate.h"

#include "model_files.h"

namespace mpq::graph::testing {
namespace {

using onnx::ModelProto;
using onnx::TensorProto;

onnx::GraphProto& graph_of(ModelProto& model) { return *model.mutable_graph(); }
TensorProto& weight_of(ModelProto& model) { return *model.mutable_graph()->mutable_initializer(0); }

onnx::NodeProto& add_node(onnx::GraphProto& graph, const std::string& op, const std::vector<std::string>& inputs,
                          const std::string& output) {
  auto* node = graph.add_node();
  node->set_op_type(op);
  for (const std::string& input : inputs) node->add_input(input);
  node->add_output(output);
  return *node;
}

/// Adds an If whose then-branch is returned for the test to fill; it has the output "branch_y".
onnx::GraphProto& add_if(ModelProto& model) {
  onnx::GraphProto& graph = graph_of(model);
  auto* condition = graph.add_initializer();
  condition->set_name("condition");
  condition->set_data_type(TensorProto::BOOL);
  condition->set_raw_data(std::string(1, '\1'));
  onnx::NodeProto& node = add_node(graph, "If", {"condition"}, "if_y");
  onnx::GraphProto* branches[2] = {};
  for (int i = 0; i < 2; ++i) {
    auto* attribute = node.add_attribute();
    attribute->set_name(i == 0 ? "then_branch" : "else_branch");
    attribute->set_type(onnx::AttributeProto::GRAPH);
    branches[i] = attribute->mutable_g();
    branches[i]->set_name(attribute->name());
    branches[i]->add_output()->set_name("branch_y");
  }
  add_node(*branches[1], "Identity", {"x"}, "branch_y");
  return *branches[0];
}

onnx::FunctionProto& add_function(ModelProto& model, const std::string& name) {
  onnx::FunctionProto& function = *model.add_functions();
  function.set_name(name);
  function.set_domain("local");
  function.add_input("a");
  function.add_output("b");
  auto* import = function.add_opset_import();
  import->set_version(17);
  return function;
}

onnx::SparseTensorProto& add_sparse(ModelProto& model) {
  auto* sparse = graph_of(model).add_sparse_initializer();
  sparse->add_dims(4);
  sparse->add_dims(5);
  auto* values = sparse->mutable_values();
  values->set_name("s");
  values->set_data_type(TensorProto::FLOAT);
  values->add_dims(2);
  values->add_float_data(1);
  values->add_float_data(2);
  auto* indices = sparse->mutable_indices();
  indices->set_data_type(TensorProto::INT64);
  indices->add_dims(2);
  indices->add_int64_data(3);
  indices->add_int64_data(19);
  return *sparse;
}

/// A way to spoil small_model(), and what mpq must say to it.
struct Malformed {
  const char* name;
  std::function<void(ModelProto&)> spoil;
  ErrorCode code;
  const char* fragment;
};

constexpr ErrorCode kInvalid = ErrorCode::kInvalidInput;
constexpr ErrorCode kUnsupported = ErrorCode::kUnsupported;

const std::vector<Malformed>& malformed_models() {
  static const std::vector<Malformed> table = {
      // versions and imports
      {"NoIrVersion", [](ModelProto& m) { m.clear_ir_version(); }, kInvalid, "states no IR version"},
      {"IrVersion2", [](ModelProto& m) { m.set_ir_version(2); }, kUnsupported, "IR version 2; mpq reads 3 to 13"},
      {"IrVersion14", [](ModelProto& m) { m.set_ir_version(14); }, kUnsupported, "IR version 14"},
      {"NegativeIrVersion", [](ModelProto& m) { m.set_ir_version(-1); }, kUnsupported, "IR version -1"},
      {"NoOpset", [](ModelProto& m) { m.clear_opset_import(); }, kInvalid,
       "imports no version of the standard operators"},
      {"OnlyForeignOpset", [](ModelProto& m) { m.mutable_opset_import(0)->set_domain("com.microsoft"); }, kInvalid,
       "imports no version of the standard operators"},
      {"Opset6", [](ModelProto& m) { m.mutable_opset_import(0)->set_version(6); }, kUnsupported,
       "opset 6; mpq reads 7 to 26"},
      {"Opset27", [](ModelProto& m) { m.mutable_opset_import(0)->set_version(27); }, kUnsupported, "opset 27"},
      {"HugeOpset", [](ModelProto& m) { m.mutable_opset_import(0)->set_version(INT64_MAX); }, kUnsupported,
       "opset 9223372036854775807"},
      {"UnimportedDomain", [](ModelProto& m) { graph_of(m).mutable_node(1)->set_domain("com.example"); }, kInvalid,
       "uses the operator domain 'com.example' (node 'shift' (Add)) without importing it"},
      // the graph as a whole
      {"NoGraph", [](ModelProto& m) { m.clear_graph(); }, kInvalid, "holds no graph"},
      {"NoOutputs", [](ModelProto& m) { graph_of(m).clear_output(); }, kInvalid, "has no outputs"},
      {"UnnamedInput", [](ModelProto& m) { graph_of(m).mutable_input(0)->clear_name(); }, kInvalid,
       "An input of the graph has no name"},
      {"RepeatedInput", [](ModelProto& m) { *graph_of(m).add_input() = graph_of(m).input(0); }, kInvalid,
       "lists the input 'x' twice"},
      {"UntypedInput", [](ModelProto& m) { graph_of(m).mutable_input(0)->clear_type(); }, kInvalid,
       "The input 'x' has no type"},
      {"SequenceInput",
       [](ModelProto& m) {
         graph_of(m).mutable_input(0)->mutable_type()->mutable_sequence_type()->mutable_elem_type();
       },
       kUnsupported, "The input 'x' is a sequence"},
      {"Float8Input",
       [](ModelProto& m) { graph_of(m).mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(17); },
       kUnsupported, "The input 'x' is a float8e4m3fn"},
      {"OnlySequenceOutputs",
       [](ModelProto& m) {
         graph_of(m).mutable_output(0)->mutable_type()->mutable_sequence_type()->mutable_elem_type();
       },
       kUnsupported, "No output of the model is a tensor"},
      {"UnwrittenOutput", [](ModelProto& m) { graph_of(m).mutable_output(0)->set_name("nowhere"); }, kInvalid,
       "The output 'nowhere' of the graph is written by no node"},
      {"UnnamedOutput", [](ModelProto& m) { graph_of(m).mutable_output(0)->clear_name(); }, kInvalid,
       "The output '' of the graph is written by no node"},
      // nodes
      {"NoOperator", [](ModelProto& m) { graph_of(m).mutable_node(0)->clear_op_type(); }, kInvalid,
       "A node of the graph has no operator"},
      {"UnwrittenInput", [](ModelProto& m) { graph_of(m).mutable_node(1)->set_input(1, "ghost"); }, kInvalid,
       "The input 'ghost' of node 'shift' (Add) is no input, no initializer and no output of a node"},
      {"DefinedTwice", [](ModelProto& m) { add_node(graph_of(m), "Relu", {"x"}, "m"); }, kInvalid,
       "The value 'm' of the graph is defined twice, the second time by the Relu node that writes 'm'"},
      {"OutputIsInitializer", [](ModelProto& m) { add_node(graph_of(m), "Relu", {"x"}, "w"); }, kInvalid,
       "The value 'w' of the graph is defined twice"},
      {"OutputIsInput", [](ModelProto& m) { add_node(graph_of(m), "Relu", {"w"}, "x"); }, kInvalid,
       "The value 'x' of the graph is defined twice"},
      {"Cycle", [](ModelProto& m) { graph_of(m).mutable_node(0)->set_input(0, "y"); }, kInvalid,
       "The nodes 'multiply' and 'shift' of the graph form a cycle"},
      {"ReadsItself", [](ModelProto& m) { graph_of(m).mutable_node(0)->set_input(0, "m"); }, kInvalid,
       "The nodes 'multiply' of the graph form a cycle"},
      {"TooManyInputs", [](ModelProto& m) { graph_of(m).mutable_node(0)->add_input("b"); }, kInvalid,
       "ONNX's definition of MatMul (opset 17) refuses node 'multiply' (MatMul)"},
      {"UnknownAttribute",
       [](ModelProto& m) {
         auto* attribute = graph_of(m).mutable_node(0)->add_attribute();
         attribute->set_name("colour");
         attribute->set_type(onnx::AttributeProto::INT);
         attribute->set_i(1);
       },
       kInvalid, "Unrecognized attribute: colour"},
      {"MissingAttribute", [](ModelProto& m) { add_node(graph_of(m), "Cast", {"x"}, "z"); }, kInvalid,
       "ONNX's definition of Cast (opset 17) refuses"},
      {"DeprecatedOperator",
       [](ModelProto& m) {
         add_node(graph_of(m), "Upsample", {"x", "b"}, "z");
       },
       kInvalid, "has been deprecated"},
      {"BrokenName", [](ModelProto& m) { graph_of(m).mutable_node(0)->set_name("caf\xE9"); }, kInvalid,
       "The name of a node of the graph is not valid UTF-8: 'caf?'"},
      // tensors
      {"UndefinedType", [](ModelProto& m) { weight_of(m).clear_data_type(); }, kInvalid,
       "The element type of the initializer 'w' is undefined"},
      {"NegativeType", [](ModelProto& m) { weight_of(m).set_data_type(-5); }, kInvalid, "is undefined"},
      {"FutureType", [](ModelProto& m) { weight_of(m).set_data_type(99); }, kUnsupported, "has the number 99"},
      {"NegativeExtent", [](ModelProto& m) { weight_of(m).set_dims(0, -32); }, kInvalid,
       "The dims of the initializer 'w' hold -32, a negative extent"},
      {"ElementOverflow",
       [](ModelProto& m) {
         for (int i = 0; i < 8; ++i) weight_of(m).add_dims(std::int64_t{1} << 40);
       },
       kInvalid, "multiply to more than 2^63 elements"},
      {"ByteOverflow", [](ModelProto& m) { weight_of(m).set_dims(0, INT64_MAX / 32); }, kInvalid,
       "multiply to more than 2^63 bytes"},
      {"HugeExtentWithoutData",
       [](ModelProto& m) {
         weight_of(m).set_dims(0, std::int64_t{1} << 40);
         weight_of(m).clear_raw_data();
       },
       kInvalid, "The data of the initializer 'w' are missing: its dims ask for 35184372088832 elements"},
      {"RawDataTooShort", [](ModelProto& m) { weight_of(m).mutable_raw_data()->resize(4000); }, kInvalid,
       "it holds 4000 bytes, and 4096 are needed"},
      {"RawDataTooLong", [](ModelProto& m) { weight_of(m).mutable_raw_data()->append("abc"); }, kInvalid,
       "it holds 4099 bytes, and 4096 are needed"},
      {"SmallRawDataTooShort",
       [](ModelProto& m) { graph_of(m).mutable_initializer(1)->mutable_raw_data()->pop_back(); }, kInvalid,
       "The data of the initializer 'b' do not fit its dims and type float32: it holds 127 bytes"},
      {"DataWithoutElements", [](ModelProto& m) { weight_of(m).set_dims(0, 0); }, kInvalid, "and 0 are needed"},
      {"TwoDataFields", [](ModelProto& m) { weight_of(m).add_float_data(1); }, kInvalid,
       "stand in several fields at once"},
      {"WrongDataField",
       [](ModelProto& m) {
         weight_of(m).clear_raw_data();
         for (int i = 0; i < 1024; ++i) weight_of(m).add_int32_data(i);
       },
       kInvalid, "stand in int32_data, where no float32 belongs"},
      {"FloatDataTooShort",
       [](ModelProto& m) {
         weight_of(m).clear_raw_data();
         weight_of(m).add_float_data(1);
       },
       kInvalid, "it holds 1 entries of float_data, and 1024 are needed"},
      {"Int4DataTooLong",
       [](ModelProto& m) {
         weight_of(m).clear_raw_data();
         weight_of(m).clear_dims();
         weight_of(m).add_dims(3);
         weight_of(m).set_data_type(TensorProto::INT4);
         for (int i = 0; i < 3; ++i) weight_of(m).add_int32_data(i);
       },
       kInvalid, "it holds 3 entries of int32_data, and 2 are needed"},
      {"StringsInNumbers",
       [](ModelProto& m) {
         weight_of(m).clear_raw_data();
         weight_of(m).add_string_data("a");
       },
       kInvalid, "Strings stand in the initializer 'w', whose type is float32"},
      {"NumbersInStrings", [](ModelProto& m) { weight_of(m).set_data_type(TensorProto::STRING); }, kInvalid,
       "Numbers stand in the initializer 'w', whose type is string"},
      {"TooFewStrings",
       [](ModelProto& m) {
         weight_of(m).clear_raw_data();
         weight_of(m).set_data_type(TensorProto::STRING);
         weight_of(m).add_string_data("a");
       },
       kInvalid, "it holds 1 strings, and 1024 are needed"},
      {"ConstantNodeTooShort",
       [](ModelProto& m) {
         onnx::NodeProto& node = add_node(graph_of(m), "Constant", {}, "c");
         node.set_name("constant");
         auto* attribute = node.add_attribute();
         attribute->set_name("value");
         attribute->set_type(onnx::AttributeProto::TENSOR);
         *attribute->mutable_t() = weight_of(m);
         attribute->mutable_t()->set_dims(0, 33);
       },
       kInvalid, "The data of the tensor of attribute 'value' of node 'constant' (Constant) do not fit"},
      // sparse tensors
      {"SparseWithoutDims", [](ModelProto& m) { add_sparse(m).clear_dims(); }, kInvalid,
       "The dims of the sparse tensor 's' are missing"},
      {"SparseHuge", [](ModelProto& m) { add_sparse(m).set_dims(0, std::int64_t{1} << 40); }, kUnsupported,
       "would take more than 2 GiB"},
      {"SparseIndexOutside", [](ModelProto& m) { add_sparse(m).mutable_indices()->set_int64_data(1, 20); }, kInvalid,
       "An index of the sparse tensor 's' is 20, outside of its dims"},
      {"SparseIndexNegative", [](ModelProto& m) { add_sparse(m).mutable_indices()->set_int64_data(0, -1); }, kInvalid,
       "An index of the sparse tensor 's' is -1"},
      {"SparseIndicesMissing", [](ModelProto& m) { add_sparse(m).clear_indices(); }, kInvalid,
       "are neither one int64 per value"},
      {"SparseUnnamed", [](ModelProto& m) { add_sparse(m).mutable_values()->clear_name(); }, kInvalid,
       "A sparse initializer of the graph has no name"},
      {"SparseNameTaken", [](ModelProto& m) { add_sparse(m).mutable_values()->set_name("w"); }, kInvalid,
       "The sparse initializer 'w' of the graph has the name of another value"},
      // subgraphs
      {"SubgraphReadsNothing", [](ModelProto& m) { add_node(add_if(m), "Relu", {"ghost"}, "branch_y"); }, kInvalid,
       "The input 'ghost' of the Relu node that writes 'branch_y'"},
      {"SubgraphOutputFromOutside", [](ModelProto& m) { add_if(m).mutable_output(0)->set_name("x"); }, kInvalid,
       "The output 'x' of the subgraph 'then_branch' of the If node that writes 'if_y' comes from an enclosing graph"},
      {"SubgraphCycle",
       [](ModelProto& m) {
         onnx::GraphProto& branch = add_if(m);
         add_node(branch, "Relu", {"branch_y"}, "r");
         add_node(branch, "Relu", {"r"}, "branch_y");
       },
       kInvalid, "of the subgraph 'then_branch'"},
      {"CycleThroughSubgraph",
       [](ModelProto& m) {
         add_node(add_if(m), "Relu", {"after"}, "branch_y");
         add_node(graph_of(m), "Relu", {"if_y"}, "after");
       },
       kInvalid, "form a cycle"},
      // local functions
      {"RecursiveFunction",
       [](ModelProto& m) {
         auto* import = m.add_opset_import();
         import->set_domain("local");
         import->set_version(1);
         onnx::FunctionProto& function = add_function(m, "F");
         auto* node = function.add_node();
         node->set_domain("local");
         node->set_op_type("F");
         node->add_input("a");
         node->add_output("b");
       },
       kInvalid, "local functions are not usable"},
      {"RepeatedFunction",
       [](ModelProto& m) {
         add_function(m, "F").mutable_output(0)->assign("a");
         add_function(m, "F").mutable_output(0)->assign("a");
       },
       kInvalid, "local functions are not usable"},
      {"FunctionOutputUnwritten", [](ModelProto& m) { add_function(m, "F"); }, kInvalid,
       "The local function 'F' promises the output 'b', which none of its nodes writes"},
      {"FunctionInputTwice", [](ModelProto& m) { add_function(m, "F").add_input("a"); }, kInvalid,
       "The local function 'F' lists the input 'a' twice"},
  };
  return table;
}

class MalformedModel : public ModelFiles, public ::testing::WithParamInterface<Malformed> {};

TEST_P(MalformedModel, IsRefusedInOneSentence) {
  ModelProto model = small_model();
  GetParam().spoil(model);
  const std::string file = write("model.onnx", model);
  expect_error(load_error(file), GetParam().code, GetParam().fragment, file);
}

INSTANTIATE_TEST_SUITE_P(Table, MalformedModel, ::testing::ValuesIn(malformed_models()),
                         [](const auto& entry) { return std::string(entry.param.name); });

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
