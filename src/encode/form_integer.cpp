#include "encode/function_body.h"
#include "encode/storage_form.h"

namespace mpq::encode {

// The form for MatMul and Gemm: ONNX Runtime folds everything before DequantizeLinear at load and fuses the rest with
// the product into MatMulNBits, an int8 or int4 kernel.
//
//   Before: weight [K, N] -> MatMul                      Gemm with transB = 1: weight [N, K]
//
//   After:  packed -> unpack -> Reshape [K, N] (-> Cast int4) ---------+
//           scales (float16 [N] or [K/block, N]) -> Cast -> Mul unit --+-> DequantizeLinear -> weight -> MatMul
//                                                        Gemm: the numbers are stored transposed, transB = 0
//
// Where the activations are integers too (QLinearConv, QGemm) it always becomes int8, with the scales along the output
// channels, and has zero points, without which Gemm stays float. Never int2 or int4: with int2 in a QDQ graph the model
// does not load, with int4 a Conv is dequantized at every run.

onnx::FunctionProto integer_function(const StorageForm& form, std::int64_t opset) {
  FunctionBody body(opset, form.function_name(), form.function_inputs(), "weight");
  std::string numbers = stored_numbers(body, form);
  if (form.store == StorageForm::Store::kPlanes) {
    if (numbers_are_floats(form)) numbers = body.cast(numbers, onnx::TensorProto::INT8);
    if (form.run == StorageForm::Run::kInt4) numbers = body.cast(numbers, onnx::TensorProto::INT4);
  }
  const std::string scales = body.op("Mul", {body.cast("scales", onnx::TensorProto::FLOAT), body.float_from("unit")});
  const bool blocks = form.block > 0;
  std::vector<std::string> inputs = {numbers, scales};
  if (form.run == StorageForm::Run::kStatic) {
    if (form.store == StorageForm::Store::kInt4) inputs[0] = body.cast(numbers, onnx::TensorProto::INT8);
    inputs.push_back(body.cast(body.op("Sub", {scales, scales}), onnx::TensorProto::INT8));
  }
  const std::string weight = body.op("DequantizeLinear", inputs, {int_attribute("axis", blocks ? 0 : form.axis)});
  if (blocks) body.bind_last("block_size", onnx::AttributeProto::INT, "block");
  return body.finish(weight);
}

}  // namespace mpq::encode
