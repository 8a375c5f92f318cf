#include "mpq/output_role.h"

#include <utility>

#include "mpq/error.h"

#include "support/damage.h"
#include "support/text.h"

namespace mpq {
namespace {

std::pair<std::string, std::string> split(const std::string& text, const std::string& option,
                                          const std::string& example) {
  const std::size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    throw Error(ErrorCode::kUsage, "\"" + text + "\" has not the form OUTPUT=VALUE.", option,
                "For example " + option + " " + example + ".");
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

}  // namespace

OutputRole OutputRole::parse_weight(const std::string& text) {
  constexpr double kMost = 1e6;
  const auto [glob, number] = split(text, "--output-weight", "'boxes=2'");
  const std::optional<double> weight = parse_decimal(number);
  if (!weight || *weight < 0 || *weight > kMost) {
    throw Error(ErrorCode::kUsage, "\"" + number + "\" is no weight from 0 to 1000000.",
                "--output-weight '" + text + "'", "For example --output-weight 'boxes=2'.");
  }
  return {glob, *weight, "", "--output-weight '" + text + "'"};
}

OutputRole OutputRole::parse_kind(const std::string& text) {
  const auto [glob, kind] = split(text, "--output-kind", "'scores=logits'");
  return {glob, std::nullopt, to_string(parse_output_kind(kind)), "--output-kind '" + text + "'"};
}

}  // namespace mpq
