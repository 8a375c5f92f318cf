#include "runtime/failure.h"

#include <gtest/gtest.h>

namespace mpq::runtime {
namespace {

// Messages as ONNX Runtime 1.32.0 words them.
TEST(CleanMessage, drops_the_status_prefix) {
  EXPECT_EQ(clean_message("[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : Could not find an implementation for "
                          "Conv(11) node with name 'c'"),
            "Could not find an implementation for Conv(11) node with name 'c'");
}

TEST(CleanMessage, drops_source_positions_and_signatures) {
  EXPECT_EQ(clean_message("/onnxruntime_src/onnxruntime/core/graph/graph.cc:4336 onnxruntime::common::Status "
                          "onnxruntime::Graph::Inject(const onnxruntime::InlinedHashMap<std::string, OrtValue>&) "
                          "Failed to find existing initializer with name w."),
            "Failed to find existing initializer with name w");
  EXPECT_EQ(
      clean_message("graph.cc:4336 ReplaceInitializedTensorImpl Failed to find existing initializer with name w."),
      "Failed to find existing initializer with name w");
}

TEST(CleanMessage, names_the_node_that_failed) {
  EXPECT_EQ(clean_message("Non-zero status code returned while running Add node. Name:'sum' Status Message: "
                          "/onnxruntime_src/onnxruntime/core/providers/cpu/math/element_wise_ops.h:560 void "
                          "onnxruntime::BroadcastIterator::Append(ptrdiff_t, ptrdiff_t) axis == 1 || axis == largest "
                          "was false. Attempting to broadcast an axis by a dimension other than 1. 2 by 3\n"),
            "Add node 'sum': Attempting to broadcast an axis by a dimension other than 1. 2 by 3");
}

TEST(CleanMessage, does_not_speak_of_empty_names) {
  EXPECT_EQ(clean_message("Non-zero status code returned while running MatMul node. Name:'' Status Message: MatMul "
                          "dimension mismatch"),
            "MatMul: MatMul dimension mismatch");
  EXPECT_EQ(clean_message("Could not find an implementation for Conv(22) node with name ''"),
            "Could not find an implementation for Conv(22) node");
}

TEST(CleanMessage, puts_everything_on_one_line_and_drops_stack_traces) {
  EXPECT_EQ(clean_message("Fatal error:\n  bad  thing.\nStacktrace:\n#1 foo\n"), "Fatal error: bad thing");
}

TEST(CleanMessage, says_so_when_nothing_is_left) { EXPECT_EQ(clean_message(""), "no reason was given"); }

TEST(Classify, missing_operators_kernels_and_memory_are_unsupported) {
  EXPECT_EQ(classify(ORT_NOT_IMPLEMENTED, "whatever"), ErrorCode::kUnsupported);
  EXPECT_EQ(classify(ORT_FAIL, "Fatal error: x:Foo(-1) is not a registered function/op"), ErrorCode::kUnsupported);
  EXPECT_EQ(classify(ORT_FAIL, "Failed to allocate memory for requested buffer of size 99"), ErrorCode::kUnsupported);
  EXPECT_EQ(classify(ORT_INVALID_GRAPH, "This is an invalid model."), ErrorCode::kInvalidInput);
  EXPECT_EQ(classify(ORT_INVALID_PROTOBUF, "Protobuf parsing failed."), ErrorCode::kInvalidInput);
}

TEST(Translate, makes_one_sentence) {
  const Ort::Exception failure("[ONNXRuntimeError] : 10 : INVALID_GRAPH : Node () has input size 1.",
                               ORT_INVALID_GRAPH);
  const Error error = translate(failure, "ONNX Runtime does not load the model", "a.onnx");
  EXPECT_STREQ(error.what(), "ONNX Runtime does not load the model: Node () has input size 1.");
  EXPECT_EQ(error.where(), "a.onnx");
  EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace mpq::runtime
