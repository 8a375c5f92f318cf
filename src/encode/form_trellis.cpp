#include "encode/storage_form.h"
#include "quantize/trellis.h"

namespace mpq::encode {

// A trellis instead of a grid, in every run form: one plane holds the path bits u, the planes behind it the other bits.
// A weight becomes sorted entry 4 upper + 2 (u[t] ^ u[t-2] ^ u[t-5]) + u[t-3]. The eight strands of path bits are the
// rows of the plane once it is unpacked, so that looking back is a Slice; and the sum of three bits serves as well as
// their parity where the table has every entry twice.
//
//   Before: packed -> unpack -> integers -> ...
//
//   After:  packed [b, n/8] -> Split: path [1, n/8], upper [b-1, n/8]
//           path -> unpack [8, n/8] -> Concat five zeros in front -> Slices: u[t], u[t-2], u[t-3], u[t-5]
//           u[t] + u[t-2] + u[t-5] + 4 u[t-3] --------------------------------------+
//           upper -> unpack [8, n/8] -> times 8 ------------------------------------+-> Add -> Cast int32 --+
//           entries (int8 [2^(b-1), 4]) -> Gather columns 0 2 0 2 1 3 1 3 -> Reshape flat ------------------+-> Gather
//             -> integers

namespace {

class Steps {
 public:
  Steps(FunctionBody& body, Unpacked as) : body_(body), as_(as) {}

  std::string strands(const std::string& rows, int bits) {
    return body_.reshape(unpack_codes(body_, rows, bits, as_), body_.constant({quant::kStrands, -1}));
  }
  std::string add(const std::string& a, const std::string& b) { return body_.op("Add", {a, b}); }
  std::string times_power_of_two(const std::string& value, std::uint8_t exponent) {
    if (as_ == Unpacked::kFloat) {
      return body_.op("Mul", {value, body_.constant_floats({static_cast<float>(1 << exponent)}, {})});
    }
    return body_.op("BitShift", {value, body_.constant_bytes({exponent}, {})}, {string_attribute("direction", "LEFT")});
  }
  /// Five zeros in front of every strand.
  std::string padded(const std::string& bits) {
    const std::vector<std::int64_t> dims = {quant::kStrands, quant::kTrellisMemory};
    constexpr std::size_t kZeros = quant::kStrands * quant::kTrellisMemory;
    const std::string zeros = as_ == Unpacked::kFloat ? body_.constant_floats(std::vector<float>(kZeros), dims)
                                                      : body_.constant_bytes(std::vector<std::uint8_t>(kZeros), dims);
    return body_.op("Concat", {zeros, bits}, {int_attribute("axis", 1)});
  }
  /// The path bits `steps` before.
  std::string back(const std::string& padded, std::int64_t steps) {
    return body_.slice(padded, 1, quant::kTrellisMemory - steps, -steps);
  }

 private:
  FunctionBody& body_;
  Unpacked as_;
};

/// The entries by 8 upper + 4 u[t-3] + the sum of the other three bits.
std::string entries_by_sum(FunctionBody& body) {
  const std::string columns =
      body.op("Gather", {"entries", body.constant({0, 2, 0, 2, 1, 3, 1, 3})}, {int_attribute("axis", 1)});
  return body.reshape(columns, body.constant({-1}));
}

}  // namespace

std::string walk_trellis(FunctionBody& body, const StorageForm& form) {
  Steps steps(body, form.unpacked);
  const std::string rows = body.reshape("packed", body.constant({form.bits, -1}));
  const std::vector<std::string> parts = body.split(rows, {1, form.bits - 1});
  const std::string bits = steps.strands(parts[0], 1);
  const std::string padded = steps.padded(bits);
  const std::string sum = steps.add(steps.add(bits, steps.back(padded, 2)), steps.back(padded, 5));
  const std::string low = steps.add(sum, steps.times_power_of_two(steps.back(padded, 3), 2));
  const std::string upper = steps.times_power_of_two(steps.strands(parts[1], form.bits - 1), 3);
  const std::string places = body.cast(steps.add(upper, low), onnx::TensorProto::INT32);
  return body.op("Gather", {entries_by_sum(body), places});
}

}  // namespace mpq::encode
