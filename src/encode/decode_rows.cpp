#include "encode/planes.h"
#include "encode/unpack_call.h"
#include "quantize/packing.h"

// form_rows.cpp read backwards.

namespace mpq::encode {

namespace {

std::size_t product(const Extents& extents) {
  std::size_t result = 1;
  for (const std::int64_t extent : extents) result *= static_cast<std::size_t>(extent);
  return result;
}

std::vector<std::int8_t> unpacked_input(const UnpackCall& call, int input, int bits, std::size_t count) {
  std::string scratch;
  const std::vector<std::uint8_t> packed = numbers_of<std::uint8_t>(call.bytes(input, scratch));
  if (static_cast<std::int64_t>(packed.size()) != quant::packed_bytes(static_cast<std::int64_t>(count), bits)) {
    call.fail("has " + std::to_string(packed.size()) + " bytes for " + std::to_string(count) + " numbers of " +
              std::to_string(bits) + " bits");
  }
  return quant::unpack(packed, bits, count);
}

/// Which of the widths each row has.
std::vector<std::size_t> classes_of(const UnpackCall& call, std::size_t rows, std::size_t widths) {
  constexpr int kMiddle = 1 << (kRowClassBits - 1);
  std::vector<std::size_t> result;
  for (const std::int8_t code : unpacked_input(call, static_cast<int>(widths) + 1, kRowClassBits, rows)) {
    result.push_back(static_cast<std::size_t>(code + kMiddle));
    if (result.back() >= widths) call.fail("has a row of no known width");
  }
  return result;
}

}  // namespace

ShapedNumbers joined_rows(const UnpackCall& call) {
  const std::vector<int> widths = call.widths();
  const Extents turned = call.integers("turned"), shape = call.integers("shape");
  const Extents counts = call.integers("rows"), row = call.integers("row");
  const Extents& by_rows = turned.empty() ? shape : turned;
  const std::size_t size = product(by_rows);
  if (counts.size() != 1 || row.size() != 2 || counts[0] < 1 || row[1] < 1 ||
      static_cast<std::size_t>(counts[0] * row[1]) != size) {
    call.fail("has rows that do not fit the weight's shape");
  }
  const std::vector<std::size_t> classes = classes_of(call, static_cast<std::size_t>(counts[0]), widths.size());
  const auto length = static_cast<std::size_t>(row[1]);
  std::vector<std::vector<std::int8_t>> parts;
  for (std::size_t c = 0; c < widths.size(); ++c) {
    const auto rows = static_cast<std::size_t>(std::count(classes.begin(), classes.end(), c));
    parts.push_back(unpacked_input(call, static_cast<int>(c), widths[c], rows * length));
  }
  std::vector<std::size_t> taken(widths.size(), 0);
  std::vector<std::int8_t> numbers;
  numbers.reserve(size);
  for (const std::size_t c : classes) {
    const auto begin = parts[c].begin() + static_cast<std::ptrdiff_t>(length * taken[c]++);
    numbers.insert(numbers.end(), begin, begin + static_cast<std::ptrdiff_t>(length));
  }
  return turned_back(call, {by_rows, std::move(numbers)});
}

}  // namespace mpq::encode
