#include "quantize/entry_table.h"

#include <algorithm>

namespace mpq::quant {

EntryTable::EntryTable(std::span<const std::int8_t> entries) {
  std::size_t next = 0;
  for (int i = 0; i < kernels::kHalfSteps; ++i) {
    // Slot i holds ratios from (i - 256) / 2 on: the lower end decides.
    const auto nearer = [&] { return i - kernels::kHalfSteps / 2 >= entries[next] + entries[next + 1]; };
    while (next + 1 < entries.size() && nearer()) ++next;
    table_[static_cast<std::size_t>(i)] = static_cast<float>(entries[next]);
  }
}

std::size_t entry_index(std::span<const std::int8_t> entries, std::int8_t entry) {
  return static_cast<std::size_t>(std::lower_bound(entries.begin(), entries.end(), entry) - entries.begin());
}

}  // namespace mpq::quant
