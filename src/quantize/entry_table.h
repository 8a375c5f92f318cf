#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace mpq::quant {

/// The nearest entry of a codebook at a glance. Entries are integers, so the borders between neighbours are multiples
/// of a half: one table over half steps, [-128, 128), answers every question. Ties go up; beyond the ends, the end.
class EntryTable {
 public:
  /// `entries`: sorted, at least one.
  explicit EntryTable(std::span<const std::int8_t> entries);

  float nearest(float ratio) const { return table_[slot(ratio)]; }
  /// kSlots numbers, for loops that look up by themselves.
  const float* data() const { return table_.data(); }

  static constexpr int kSlots = 512;

 private:
  static std::size_t slot(float ratio) {
    const float place = 2 * ratio + kSlots / 2;
    return place > 0 ? static_cast<std::size_t>(place < kSlots - 1 ? place : kSlots - 1) : 0;
  }
  std::array<float, kSlots> table_{};
};

/// `value`, or where a runtime would round its product with `scale` to infinity the next one towards zero that it does
/// not: an integer, or an entry of the sorted codebook when there is one.
std::int8_t finite_value(std::int8_t value, float scale, float limit, std::span<const std::int8_t> codebook);

/// Where a number stands among the sorted entries.
std::size_t entry_index(std::span<const std::int8_t> entries, std::int8_t entry);

}  // namespace mpq::quant
