#include "encode/function_body.h"
#include "encode/planes.h"
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
  const bool planes = form.store == StorageForm::Store::kPlanes;
  std::string numbers = "packed";
  bool is_float = false;
  if (planes) {
    numbers = form.codebook ? look_up(body, form) : unpack(body, numbers, form.bits);
    if (form.tail) numbers = body.head(body.reshape(numbers, body.constant({-1})), "count");
    numbers = body.reshape(numbers, body.integers_from(form.block > 0 ? "view" : "shape"));
    is_float = !form.codebook && unpacked_type(opset) == Unpacked::kFloat;
  }
  if (!is_float) numbers = body.cast(numbers, onnx::TensorProto::FLOAT);
  const std::string scales = body.op("Mul", {body.cast("scales", onnx::TensorProto::FLOAT), body.float_from("unit")});
  std::string weight = body.op("Mul", {numbers, scales});
  if (form.block > 0) weight = body.reshape(weight, body.integers_from("shape"));
  if (form.dtype != "float32") weight = body.cast(weight, element_type(form.dtype));
  return body.finish(weight);
}

}  // namespace mpq::encode
