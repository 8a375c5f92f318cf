#include "mpq/drop_limit.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "mpq/error.h"

#include "support/text.h"

namespace mpq {
namespace {

constexpr const char* kOption = "--max-drop";

[[noreturn]] void refuse(const std::string& text) {
  throw Error(ErrorCode::kUsage, "\"" + text + "\" is no limit of a loss.", kOption,
              "Write it like 0.5% (of accuracy or of top-1 answers), 30dB (of every output) or 0.01 (damage).");
}

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

}  // namespace

DropLimit DropLimit::parse(const std::string& text) {
  const auto with_unit = [&](const std::string& suffix, double least, double most) {
    const auto number = parse_decimal(text.substr(0, text.size() - suffix.size()));
    if (!number || *number < least || *number > most) refuse(text);
    return *number;
  };
  if (text.ends_with("%")) return {Unit::kShare, with_unit("%", 0, 100) / 100, text};
  if (text.ends_with("dB")) return {Unit::kDecibels, with_unit("dB", -300, 300), text};
  return {Unit::kDamage, with_unit("", 0, 1e6), text};
}

double DropLimit::found(const Verification& measured) const {
  if (unit == Unit::kDamage) return measured.damage;
  if (unit == Unit::kDecibels) {
    double least = 300;
    for (const OutputComparison& output : measured.outputs) least = std::min(least, output.sqnr_db);
    return least;
  }
  if (measured.accuracy) return measured.accuracy->reference - measured.accuracy->quantized;
  std::optional<double> most;
  for (const OutputComparison& output : measured.outputs) {
    if (output.top1_agreement) most = std::max(most.value_or(0), 1 - *output.top1_agreement);
  }
  if (most) return *most;
  throw Error(ErrorCode::kUsage, "No output of the model names classes, so no share of answers can be lost.",
              std::string(kOption) + " " + text,
              "Give --labels, or limit the noise of the outputs: --max-drop 30dB, or the damage: --max-drop 0.01.");
}

bool DropLimit::keeps(double found) const {
  constexpr double kRounding = 1e-9;  // 1 of 20 answers is 5 %, although 1 - 0.95 > 0.05 in binary
  return unit == Unit::kDecibels ? found >= value - kRounding : found <= value + (unit == Unit::kShare ? kRounding : 0);
}

std::string DropLimit::format(double figure) const {
  if (unit == Unit::kShare) return fixed(100 * figure, 2) + " %";
  return unit == Unit::kDecibels ? fixed(figure, 1) + " dB" : format_number(figure);
}

}  // namespace mpq
