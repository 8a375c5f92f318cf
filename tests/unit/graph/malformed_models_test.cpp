#include "graph/validate.h"
#include "spoiled_models.h"

namespace mpq::graph::testing {
namespace {

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

}  // namespace
}  // namespace mpq::graph::testing
