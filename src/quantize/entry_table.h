#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "quantize/kernels/kernels.h"

namespace mpq::quant {

/// The nearest entry of a codebook at a glance. Entries are integers, so the borders between neighbours are multiples
/// of a half: one table over half steps, [-128, 128), answers every question. Ties go up; beyond the ends, the end.
class EntryTable {
 public:
  /// `entries`: sorted, at least one.
  explicit EntryTable(std::span<const std::int8_t> entries);

  float nearest(float ratio) const { return table_[static_cast<std::size_t>(kernels::half_step(ratio))]; }

 private:
  std::array<float, kernels::kHalfSteps> table_{};
};

/// Where a number stands among the sorted entries.
std::size_t entry_index(std::span<const std::int8_t> entries, std::int8_t entry);

}  // namespace mpq::quant
