#include "encode/function_body.h"
#include "encode/storage_form.h"

namespace mpq::encode {

// The form for every operator: a runtime folds the function to the plain float weight when it loads the model.
//
//   Before: weight (initializer, b bits per number once quantized) -> Conv, Gather, LSTM, MatMul, ...
//
//   After:  packed -> unpack -> Reshape shape -> Cast float ----------+
//           scales (float16, broadcastable) -> Cast float -> Mul unit -+-> Mul -> weight -> Conv, ...
//
// With blocks, `view` has the block axis split in two, so that a scale per block broadcasts, and a last Reshape joins
// it again. No DequantizeLinear here: ONNX Runtime never folds it, and would dequantize on every run.

onnx::FunctionProto folded_function(const StorageForm& form, std::int64_t opset) {
  FunctionBody body(opset, form.function_name(), form.function_inputs(), "weight");
  std::string numbers = stored_numbers(body, form);
  if (!numbers_are_floats(form)) numbers = body.cast(numbers, onnx::TensorProto::FLOAT);
  const std::string scales = body.op("Mul", {body.cast("scales", onnx::TensorProto::FLOAT), body.float_from("unit")});
  std::string weight = body.op("Mul", {numbers, scales});
  if (form.block > 0) weight = body.reshape(weight, body.integers_from("shape"));
  if (form.dtype != "float32") weight = body.cast(weight, element_type(form.dtype));
  return body.finish(weight);
}

}  // namespace mpq::encode
