#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mpq/verify.h"

namespace mpq::judge {

/// The classes both models name for one sample, and how many classes there are (0: not known).
struct Prediction {
  std::int64_t reference = -1;
  std::int64_t quantized = -1;
  std::int64_t classes = 0;
};

/// Throws Error{kInvalidInput} when a sample names no class or a label is none of the classes.
AccuracyComparison compare_accuracy(const std::vector<Prediction>& predictions, const std::vector<std::int64_t>& labels,
                                    const std::string& output);

}  // namespace mpq::judge
