#include "quantize/entry_table.h"

#include <algorithm>
#include <cmath>

namespace mpq::quant {

EntryTable::EntryTable(std::span<const std::int8_t> entries) {
  std::size_t next = 0;
  for (int i = 0; i < kSlots; ++i) {
    // Slot i holds ratios from (i - 256) / 2 on: the lower end decides.
    const auto nearer = [&] { return i - kSlots / 2 >= entries[next] + entries[next + 1]; };
    while (next + 1 < entries.size() && nearer()) ++next;
    table_[static_cast<std::size_t>(i)] = static_cast<float>(entries[next]);
  }
}

std::size_t entry_index(std::span<const std::int8_t> entries, std::int8_t entry) {
  return static_cast<std::size_t>(std::lower_bound(entries.begin(), entries.end(), entry) - entries.begin());
}

std::int8_t finite_value(std::int8_t value, float scale, float limit, std::span<const std::int8_t> codebook) {
  while (std::fabs(static_cast<float>(value) * scale) > limit) {
    const int inwards = value > 0 ? -1 : 1;
    if (codebook.empty()) {
      value = static_cast<std::int8_t>(value + inwards);
      continue;
    }
    const std::size_t index = entry_index(codebook, value);
    if (inwards < 0 ? index == 0 : index + 1 == codebook.size()) break;
    value = codebook[inwards < 0 ? index - 1 : index + 1];
  }
  return value;
}

}  // namespace mpq::quant
