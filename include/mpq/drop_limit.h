#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mpq/verify.h"

namespace mpq {

/// How much a model may lose, in the user's own unit.
///   0.5%   share of samples whose right answer is lost, net of those won (with labels); without labels the share of
///          top-1 answers that change, of the output that changes most
///   30dB   least signal-to-noise ratio, over all outputs
///   0.01   damage in the run's metric
struct DropLimit {
  enum class Unit { kShare, kDecibels, kDamage };
  Unit unit = Unit::kShare;
  double value = 0;  ///< shares as a fraction: 0.5% is 0.005
  std::string text;  ///< as the user wrote it

  /// Throws Error{kUsage} with examples when the text is no such limit.
  static DropLimit parse(const std::string& text);

  /// The measured figure this limits, in its unit. Throws Error{kUsage} when the model has no output it exists for.
  double found(const Verification& measured) const;
  bool keeps(double found) const;
  /// "0.42 %", "31.5 dB", "0.0123".
  std::string format(double figure) const;
};

/// A size that was written and measured on the way to the smallest model within a limit.
struct SizeTried {
  std::int64_t file_bytes = 0;
  double found = 0;  ///< DropLimit::found
  bool kept = false;
};

struct DropSearch {
  std::string limit;  ///< DropLimit::text
  std::vector<SizeTried> tried;
};

}  // namespace mpq
