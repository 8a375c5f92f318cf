#include "report/numbers.h"

#include <array>
#include <cmath>

#include <fmt/format.h>

#include "support/text.h"

namespace mpq::report {

std::string short_number(double value) { return fmt::format("{:.3g}", value); }

std::string short_error(double value) { return fmt::format("{:.2g}", value); }

std::string short_count(std::int64_t value) {
  constexpr std::array<const char*, 5> kUnits = {"", "k", "M", "G", "T"};
  double scaled = static_cast<double>(value);
  std::size_t unit = 0;
  // 999.5 would round to "1000" of its own unit.
  while (std::abs(scaled) >= 999.5 && unit + 1 < kUnits.size()) {
    scaled /= 1000;
    ++unit;
  }
  if (unit == 0) return std::to_string(value);
  return fmt::format("{:.{}f}{}", scaled, std::abs(scaled) < 99.95 ? 1 : 0, kUnits[unit]);
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  if (shape.empty()) return "scalar";
  return fmt::format("{}", fmt::join(shape, "x"));
}

std::string percent(double fraction) {
  const double value = fraction * 100;
  if (value > 0 && value < 0.1) return "<0.1 %";
  return fmt::format("{:.{}f} %", value, value < 10 && value > 0 ? 1 : 0);
}

std::string duration(double seconds) {
  if (seconds < 0.9995) return fmt::format("{:.0f} ms", seconds * 1000);
  if (seconds < 119.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 7200) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string counted(std::int64_t count, const std::string& noun) {
  return format_count(count) + ' ' + noun + (count == 1 ? "" : "s");
}

std::string time_text(double seconds) {
  if (std::abs(seconds) < 0.9995e-3) return fmt::format("{:.3g} us", seconds * 1e6);
  if (std::abs(seconds) < 0.9995) return fmt::format("{:.3g} ms", seconds * 1e3);
  return fmt::format("{:.3g} s", seconds);
}

}  // namespace mpq::report
