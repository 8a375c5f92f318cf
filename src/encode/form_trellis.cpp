#include "encode/planes.h"
#include "encode/storage_form.h"
#include "quantize/trellis.h"

namespace mpq::encode {

// A trellis instead of a grid, in every run form: what is packed are codes c = 2 upper + u with the path bits u. A
// weight becomes sorted entry 4 upper + 2 (u[t] ^ u[t-2] ^ u[t-5]) + u[t-3]. The eight strands are the rows of the
// codes once they are unpacked, so that looking back is a Pad that adds zeros in front and takes as many off behind.
//
//   Before: packed -> unpack -> integers -> ...
//
//   After:  packed -> unpack (unsigned): c [8, n/8] -> BitShift 7: w = 128 u, all above is gone
//           Pads w[t-2] + w[t-5] + c + (w[t-3] -> BitShift 1 down) -> Cast int32 ------------------------+
//           entries (int8 [2 (u[t-3]), 1, 2^(b-1) (upper), 2]) -> Gather the last axis turned round ---+  |
//           -> Concat as they are and turned, by u[t-2] ^ u[t-5] -> Expand, Reshape [8 (strand), .] ----+-> look up
//
// Bytes wrap, so that the sum of two path bits at the top is their parity. Opsets 7 to 13 sum the shifted rows of
// unpack_matrix.cpp, and the path bits looked back at, in one product: c + 2^b (u[t-3] + 2 (u[t-2] + u[t-5])), with the
// entries as they are, turned, and as they are again.

namespace {

constexpr int kCodeBits = 6;  // of a byte, below two bits for what is looked back at

/// What stood `steps` before, from nothing but zeros on.
std::string back(FunctionBody& body, const std::string& strands, std::int64_t steps) {
  return body.pad(strands, {0, steps, 0, -steps});
}

std::string places_in_bytes(FunctionBody& body, int bits) {
  const auto shift = [&](const std::string& value, std::uint8_t by, const char* direction) {
    return body.bit_shift(value, body.constant_bytes({by}, {}), direction);
  };
  const auto add = [&](const std::string& a, const std::string& b) { return body.op("Add", {a, b}); };
  const std::string codes =
      body.reshape(unpack_codes(body, "packed", bits, Unpacked::kInt8), body.constant({quant::kStrands, -1}));
  const std::string path = shift(codes, 7, "LEFT");
  const std::string parity = add(back(body, path, 2), back(body, path, 5));
  const std::string places = add(add(codes, parity), shift(back(body, path, 3), 1, "RIGHT"));
  return body.cast(places, onnx::TensorProto::INT32);
}

std::string places_by_matrix(FunctionBody& body, int bits) {
  constexpr int kRows = quant::kStrands;
  DigitRows digits = digit_rows(bits);
  const std::string rows = body.reshape("packed", body.constant({bits, -1}));
  const std::string shifted = shifted_rows(body, rows, digits);
  const auto count = static_cast<std::int64_t>(digits.shifts.size());
  const std::string lowest_plane = count == kRows ? shifted : body.slice(shifted, 0, count - kRows, count);
  const std::string path = lowest_bits(body, lowest_plane);
  const std::string all = body.op("Concat", {shifted, back(body, path, 2), back(body, path, 3), back(body, path, 5)},
                                  {int_attribute("axis", 0)});
  for (std::size_t row = 0; row < kRows; ++row) {
    for (const int weight : {2 << bits, 1 << bits, 2 << bits}) {
      for (std::size_t column = 0; column < kRows; ++column) digits.sums[row].push_back(row == column ? weight : 0);
    }
  }
  const std::string places = weighted_sums(body, digits.sums, all);
  return has_bit_shift(body) ? places : body.cast(places, onnx::TensorProto::INT32);
}

/// GatherElements looks up six times as fast as Gather, which copies every number as a slice (ONNX Runtime 1.32); it
/// wants as many rows of the table as there are strands. `spread`: how often the entries of all codes are repeated.
std::string look_up(FunctionBody& body, const std::string& table, const std::string& places, std::int64_t spread) {
  constexpr std::int64_t kGatherElements = 11;
  if (body.opset() < kGatherElements) return body.op("Gather", {body.reshape(table, body.constant({-1})), places});
  const std::string wide = body.op("Expand", {table, body.constant({quant::kStrands, 1, spread, 1, 1})});
  const std::string rows = body.reshape(wide, body.constant({quant::kStrands, -1}));
  return body.op("GatherElements", {rows, places}, {int_attribute("axis", 1)});
}

}  // namespace

std::string walk_trellis(FunctionBody& body, const StorageForm& form) {
  const bool bytes = form.unpacked == Unpacked::kInt8;
  const std::string places = bytes ? places_in_bytes(body, form.bits) : places_by_matrix(body, form.bits);
  const std::string turned = body.op("Gather", {"entries", body.constant({1, 0})}, {int_attribute("axis", 3)});
  std::vector<std::string> by_parity = {"entries", turned};
  if (!bytes) by_parity.emplace_back("entries");
  const std::string table = body.op("Concat", by_parity, {int_attribute("axis", 0)});
  return look_up(body, table, places, bytes ? 1 << (kCodeBits - form.bits) : 1);
}

}  // namespace mpq::encode
