#include <algorithm>

#include "mpq/error.h"

#include "encode/function_body.h"
#include "encode/storage_form.h"

namespace mpq::encode {

// The form for tables: their rows stay integers when the model is loaded, a quarter of the floats' memory, and what is
// looked up becomes floats.
//
//   Before: weight [R, C] -> Gather(indices) -> y
//
//   After:  packed -> unpack -> Reshape [R, C] -> weight (int8) -> Gather(indices) -> integers
//           integers -> Cast float ---------------------------------------------------------------+
//           scales (float16 [R, 1]) -> Gather(indices) -> Cast float -> Mul unit -----------------+-> Mul -> y
//
// With blocks a row has C / k scales, [R, C / k, 1]: the integers are split before the product and joined behind it.
// The function that unpacks has the scales as an input and their unit as an attribute, like the others, and leaves them
// to the second one. GatherBlockQuantized of ONNX Runtime does the same 20 times as slowly.

onnx::FunctionProto lookup_function(const StorageForm& form, std::int64_t opset) {
  FunctionBody body(opset, form.function_name(), form.function_inputs(), "weight");
  body.declare("unit");
  std::string numbers = body.cast(stored_numbers(body, form), onnx::TensorProto::INT8);
  if (form.block > 0) numbers = body.reshape(numbers, body.integers_from("shape"));
  return body.finish(numbers);
}

namespace {

std::string scale_rows_name(bool blocks) { return blocks ? "ScaleRowsBlocks" : "ScaleRows"; }

}  // namespace

onnx::FunctionProto scale_rows_function(bool blocks, std::int64_t opset) {
  FunctionBody body(opset, scale_rows_name(blocks), {"integers", "scales", "indices"}, "y");
  const std::string halves = body.op("Gather", {"scales", "indices"});
  const std::string scales = body.op("Mul", {body.cast(halves, onnx::TensorProto::FLOAT), body.float_from("unit")});
  const std::string numbers = body.cast("integers", onnx::TensorProto::FLOAT);
  if (!blocks) return body.finish(body.op("Mul", {numbers, scales}));
  const std::string lookups = body.op("Shape", {"indices"});
  const auto shape = [&](const std::string& of_row) {
    return body.op("Concat", {lookups, of_row}, {int_attribute("axis", 0)});
  };
  const std::string split = body.reshape(numbers, shape(body.integers_from("split")));
  return body.finish(body.reshape(body.op("Mul", {split, scales}), shape(body.constant({-1}))));
}

onnx::NodeProto scale_rows_node(const onnx::NodeProto& lookup, const std::string& integers, const std::string& scales,
                                float unit, std::int64_t blocks, std::int64_t opset) {
  onnx::NodeProto node;
  node.set_op_type(scale_rows_name(blocks > 0));
  node.set_domain(kFunctionDomain);
  for (const std::string& input : {integers, scales, lookup.input(1)}) node.add_input(input);
  node.add_output(lookup.output(0));
  *node.add_attribute() = caller_float("unit", unit, opset);
  if (blocks > 0) *node.add_attribute() = caller_integers("split", {blocks, -1}, opset);
  return node;
}

std::int64_t blocks_of_row(const Layer& layer, const StorageForm& form) {
  return form.block > 0 ? layer.shape.at(1) / form.block : 0;
}

onnx::NodeProto& lookup_of(onnx::GraphProto& graph, const std::string& weight) {
  const auto found = std::ranges::find_if(*graph.mutable_node(), [&](const onnx::NodeProto& node) {
    return node.op_type() == "Gather" && node.input(0) == weight;
  });
  if (found == graph.mutable_node()->end())
    throw Error(ErrorCode::kInternal, "No Gather reads the weight '" + weight + "'.");
  return *found;
}

}  // namespace mpq::encode
