#include "encode/storage_form.h"
#include "quantize/trellis.h"

namespace mpq::encode {

// A trellis instead of a grid, in every run form: what is packed are codes c = 2 upper + u with the path bits u. A
// weight becomes sorted entry 4 upper + 2 (u[t] ^ u[t-2] ^ u[t-5]) + u[t-3]. The eight strands are the rows of the
// codes once they are unpacked, so that looking back is a Slice; and the sum of two bits serves as well as their parity
// where the table has its entries several times.
//
//   Before: packed -> unpack -> integers -> ...
//
//   After:  packed -> unpack (unsigned): c [8, n/8] -> lowest bit: u -> Concat five zeros in front -> Slices
//           4 (2 c + u[t-3]) + u[t-2] + u[t-5] -> Cast int32 ------------------------------+
//           entries (int8 [2^(b-1), 4]) -> Gather the column of each sum -> Reshape flat --+-> look up -> integers

namespace {

class Steps {
 public:
  Steps(FunctionBody& body, Unpacked as) : body_(body), as_(as) {}

  std::string codes(int bits) {
    return body_.reshape(unpack_codes(body_, "packed", bits, as_), body_.constant({quant::kStrands, -1}));
  }
  std::string add(const std::string& a, const std::string& b) { return body_.op("Add", {a, b}); }
  std::string twice(const std::string& value) { return add(value, value); }
  std::string lowest_bit(const std::string& codes) {
    constexpr std::int64_t kBitwise = 18;
    constexpr std::uint8_t kTop = 7;
    if (as_ == Unpacked::kFloat) {
      const std::string halves = body_.op("Floor", {body_.op("Mul", {codes, body_.constant_floats({.5F}, {})})});
      return body_.op("Sub", {codes, twice(halves)});
    }
    if (body_.opset() >= kBitwise) return body_.op("BitwiseAnd", {codes, body_.constant_bytes({1}, {})});
    const std::string top = body_.constant_bytes({kTop}, {});
    const std::string up = body_.op("BitShift", {codes, top}, {string_attribute("direction", "LEFT")});
    return body_.op("BitShift", {up, top}, {string_attribute("direction", "RIGHT")});
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

/// The entries by 16 upper + 8 u[t] + 4 u[t-3] + (u[t-2] + u[t-5]).
std::string entries_by_sum(FunctionBody& body) {
  std::vector<std::int64_t> columns;
  for (const int now : {0, 1}) {
    for (const int third : {0, 1}) {
      for (const int sum : {0, 1, 2, 3}) columns.push_back(2 * ((now + sum) % 2) + third);
    }
  }
  const std::string table = body.op("Gather", {"entries", body.constant(columns)}, {int_attribute("axis", 1)});
  return body.reshape(table, body.constant({-1}));
}

/// GatherElements looks up six times as fast as Gather, which copies every number as a slice (ONNX Runtime 1.32); it
/// wants as many rows of the table as there are strands.
std::string look_up(FunctionBody& body, const std::string& table, const std::string& places) {
  constexpr std::int64_t kGatherElements = 11;
  if (body.opset() < kGatherElements) return body.op("Gather", {table, places});
  const std::string rows = body.op("Expand", {table, body.constant({quant::kStrands, 1})});
  return body.op("GatherElements", {rows, places}, {int_attribute("axis", 1)});
}

}  // namespace

std::string walk_trellis(FunctionBody& body, const StorageForm& form) {
  constexpr int kWidestInBytes = 5;  // 4 (2 c + 1) + 2 stays below 256
  Steps steps(body, form.unpacked);
  const std::string codes = steps.codes(form.bits);
  const std::string padded = steps.padded(steps.lowest_bit(codes));
  std::string high = steps.add(steps.twice(codes), steps.back(padded, 3));
  std::string low = steps.add(steps.back(padded, 2), steps.back(padded, 5));
  const bool early = form.bits > kWidestInBytes;
  for (std::string* part : {&high, &low}) {
    if (early) *part = body.cast(*part, onnx::TensorProto::INT32);
  }
  const std::string sum = steps.add(steps.twice(steps.twice(high)), low);
  return look_up(body, entries_by_sum(body), early ? sum : body.cast(sum, onnx::TensorProto::INT32));
}

}  // namespace mpq::encode
