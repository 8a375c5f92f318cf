#include "encode/payload.h"
#include "encode/unpack_call.h"
#include "quantize/packing.h"
#include "quantize/trellis.h"

// form_trellis.cpp read backwards.

namespace mpq::encode {

std::vector<std::int8_t> walked_trellis(const UnpackCall& call, std::size_t count) {
  const int bits = call.bits();
  std::string scratch, entry_scratch;
  const std::vector<std::uint8_t> packed = numbers_of<std::uint8_t>(call.bytes(0, scratch));
  const std::vector<std::int8_t> entries = numbers_of<std::int8_t>(call.bytes(2, entry_scratch));
  const std::size_t plane = quant::strand_length(count);
  if (packed.size() != plane * static_cast<std::size_t>(bits)) {
    call.fail("has " + std::to_string(packed.size()) + " bytes for " + std::to_string(count) + " numbers of " +
              std::to_string(bits) + " bits");
  }
  if (bits < 2 || entries.size() != std::size_t{2} << bits) {
    call.fail("has a trellis of " + std::to_string(entries.size()) + " entries for " + std::to_string(bits) + " bits");
  }
  const int middle = 1 << (bits - 1);
  std::vector<std::uint8_t> codes;
  codes.reserve(count);
  for (const std::int8_t code : quant::unpack(packed, bits, count)) {
    codes.push_back(static_cast<std::uint8_t>(code + middle));
  }
  std::vector<std::int8_t> numbers;
  numbers.reserve(count);
  for (const std::uint8_t entry : quant::trellis_entries(codes)) {
    numbers.push_back(entries[entry_place(entry, entries.size())]);
  }
  return numbers;
}

}  // namespace mpq::encode
