#pragma once

#include <cstdint>
#include <string>

namespace mpq {

/// A budget in the user's own unit: of the size, or of the latency.
///   6bit, 5.5bit          stored bits per quantizable weight, scales and padding included
///   12MB 12MiB 900kB 123B bytes of the whole written model, external data included (MB = 10^6, MiB = 2^20)
///   25%                   of the original model's bytes
///   4x                    at most a quarter of the original model's bytes
///   8ms 500us 0.5s        of one run of the written model, by a profile
struct Budget {
  enum class Unit { kBitsPerWeight, kBytes, kPercent, kRatio, kSeconds };
  Unit unit = Unit::kBitsPerWeight;
  double value = 6;
  std::string text = "6bit";  ///< as the user wrote it

  bool limits_time() const { return unit == Unit::kSeconds; }

  /// Throws Error{kUsage} with examples when the text is no budget.
  static Budget parse(const std::string& text);
};

/// What a budget limits, in bytes.
struct BudgetLimit {
  bool counts_file = false;  ///< true: bytes of the written file; false: stored bytes of the quantizable weights
  std::int64_t limit_bytes = 0;
};

}  // namespace mpq
