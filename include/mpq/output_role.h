#pragma once

#include <optional>
#include <string>

namespace mpq {

/// What the user says of the outputs whose name matches; what is left open is told from the values.
struct OutputRole {
  std::string glob;
  /// Share in the damage, relative to the other outputs; 1 where nothing is said, 0 leaves the output out.
  std::optional<double> weight;
  std::string kind;    ///< "logits" | "probabilities" | "sigmoid" | "tensor"; empty = told from the values
  std::string origin;  ///< the option as written, for messages

  /// "boxes=2" and "scores=logits", as --output-weight and --output-kind take them. Throw Error{kUsage}.
  static OutputRole parse_weight(const std::string& text);
  static OutputRole parse_kind(const std::string& text);
};

}  // namespace mpq
