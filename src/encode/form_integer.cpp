#include "encode/function_body.h"
#include "encode/planes.h"
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

onnx::FunctionProto integer_function(const StorageForm& form, std::int64_t opset) {
  FunctionBody body(opset, form.function_name(), form.function_inputs(), "weight");
  std::string numbers = "packed";
  if (form.store == StorageForm::Store::kPlanes) {
    numbers = form.codebook ? look_up(body, form) : unpack(body, numbers, form.bits);
    if (form.tail) numbers = body.head(body.reshape(numbers, body.constant({-1})), "count");
    numbers = body.reshape(numbers, body.integers_from("shape"));
    const bool is_float = !form.codebook && unpacked_type(opset) == Unpacked::kFloat;
    if (is_float) numbers = body.cast(numbers, onnx::TensorProto::INT8);
    if (form.run == StorageForm::Run::kInt4) numbers = body.cast(numbers, onnx::TensorProto::INT4);
  }
  const std::string scales = body.op("Mul", {body.cast("scales", onnx::TensorProto::FLOAT), body.float_from("unit")});
  const bool blocks = form.block > 0;
  const std::string weight = body.op("DequantizeLinear", {numbers, scales}, {int_attribute("axis", blocks ? 0 : 1)});
  if (blocks) body.bind_last("block_size", onnx::AttributeProto::INT, "block");
  return body.finish(weight);
}

}  // namespace mpq::encode
