#include "mpq/budget.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <string_view>

#include "mpq/error.h"

namespace mpq {
namespace {

constexpr const char* kExamples =
    "Write it like 6bit or 5.5bit (stored bits per weight), 12MB, 12MiB or 900kB (bytes of the whole file), 25% or 4x "
    "(of the original file), 8ms (latency).";
constexpr double kMostBits = 16;
constexpr double kMostBytes = 1e18;
constexpr double kMostSeconds = 1e6;

struct NamedUnit {
  std::string_view name;  ///< in lower case
  double size;            ///< in bytes or seconds
};
constexpr std::array<NamedUnit, 3> kTimeUnits = {{{"us", 1e-6}, {"ms", 1e-3}, {"s", 1}}};
constexpr std::array<NamedUnit, 8> kByteUnits = {{{"kb", 1e3},
                                                  {"mb", 1e6},
                                                  {"gb", 1e9},
                                                  {"tb", 1e12},
                                                  {"kib", 0x1p10},
                                                  {"mib", 0x1p20},
                                                  {"gib", 0x1p30},
                                                  {"tib", 0x1p40}}};

[[noreturn]] void refuse(const std::string& text, const std::string& why, const std::string& hint = kExamples) {
  throw Error(ErrorCode::kUsage, "\"" + text + "\" is no budget: " + why, "--budget", hint);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

/// The number the text starts with; moves `rest` behind it.
double leading_number(const std::string& text, std::string_view& rest) {
  if (rest.empty()) refuse(text, "it is empty.");
  if (rest.front() == '-') refuse(text, "it is negative.");
  const bool starts_a_number = (rest.front() >= '0' && rest.front() <= '9') || rest.front() == '.';
  if (!starts_a_number) refuse(text, "it does not start with a number.");
  double value = 0;
  // No exponents: in "4e" or "1e3x" nobody means one.
  const auto result = std::from_chars(rest.data(), rest.data() + rest.size(), value, std::chars_format::fixed);
  if (result.ec != std::errc() || !std::isfinite(value)) refuse(text, "its number cannot be read.");
  rest = trim(rest.substr(static_cast<std::size_t>(result.ptr - rest.data())));
  return value;
}

/// The unit of that name, or 0 when there is none.
double size_of(std::span<const NamedUnit> units, const std::string& name) {
  const auto found = std::find_if(units.begin(), units.end(), [&](const NamedUnit& unit) { return unit.name == name; });
  return found == units.end() ? 0 : found->size;
}

/// Bytes in the unit, or 0 when it is no unit of bytes. Lower-case "12mb" is meant as megabytes; a lone "b" is not
/// accepted because it reads as bits as well.
double bytes_of_unit(std::string_view unit) {
  if (unit == "B" || lower(unit) == "bytes") return 1;
  return size_of(kByteUnits, lower(unit));
}

[[noreturn]] void refuse_unit(const std::string& text, std::string_view unit) {
  if (unit.empty()) refuse(text, "its unit is missing.");
  if (unit == "b") refuse(text, "\"b\" may mean bits or bytes.", "Write bit for bits per weight, or B for bytes.");
  const std::string name = lower(unit);
  if (name == "k" || name == "m" || name == "g")
    refuse(text, "\"" + std::string(unit) + "\" is no unit.", "Write " + std::string(unit) + "B for bytes.");
  refuse(text, "\"" + std::string(unit) + "\" is no unit.");
}

Budget checked(const std::string& text, Budget::Unit unit, double value) {
  switch (unit) {
    case Budget::Unit::kBitsPerWeight:
      if (value > kMostBits)
        refuse(text, "more than 16 bits per weight limit nothing.",
               "Give at most 16bit, or a size such as 25% or 12MB.");
      break;
    case Budget::Unit::kPercent:
      if (value > 100) refuse(text, "more than 100 % of the original limit nothing.", "Give at most 100%.");
      break;
    case Budget::Unit::kRatio:
      if (value < 1)
        refuse(text, "a ratio below 1 would make the model larger.",
               "4x means at most a quarter of the original bytes.");
      break;
    case Budget::Unit::kBytes:
      if (value < 1) refuse(text, "less than one byte holds no model.");
      if (value > kMostBytes) refuse(text, "so many bytes limit nothing.");
      break;
    case Budget::Unit::kSeconds:
      if (value > kMostSeconds) refuse(text, "so much time limits nothing.");
      break;
  }
  return {unit, value, std::string(trim(text))};
}

}  // namespace

Budget Budget::parse(const std::string& text) {
  std::string_view unit = trim(text);
  const double value = leading_number(text, unit);
  const std::string name = lower(unit);
  const double unit_bytes = bytes_of_unit(unit);
  const double unit_seconds = size_of(kTimeUnits, name);
  const bool bits = name == "bit" || name == "bits";
  if (!bits && unit != "%" && name != "x" && unit_bytes == 0 && unit_seconds == 0) refuse_unit(text, unit);
  if (value == 0) refuse(text, "nothing can be stored in 0.");
  if (bits) return checked(text, Unit::kBitsPerWeight, value);
  if (unit == "%") return checked(text, Unit::kPercent, value);
  if (name == "x") return checked(text, Unit::kRatio, value);
  if (unit_seconds > 0) return checked(text, Unit::kSeconds, value * unit_seconds);
  return checked(text, Unit::kBytes, value * unit_bytes);
}

}  // namespace mpq
