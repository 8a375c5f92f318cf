#include "encode/storage_form.h"

namespace mpq::encode {

// A codebook instead of a grid, in every run form: what is packed are places among 2^b entries of 8 bits.
//
//   Before: packed -> unpack -> integers -> ...
//
//   After:  packed -> unpack (unsigned) -> Cast int32 --+
//           codebook (int8 [2^b]) ----------------------+-> Gather -> integers -> ...

std::string look_up(FunctionBody& body, const StorageForm& form) {
  const std::string codes = unpack_codes(body, "packed", form.bits, form.unpacked);
  return body.op("Gather", {"codebook", body.cast(codes, onnx::TensorProto::INT32)});
}

}  // namespace mpq::encode
