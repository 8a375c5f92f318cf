#include "report/csv_fields.h"

#include <fmt/format.h>

namespace mpq::report {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + '"';
}

std::string number(double value) { return value - value == 0 ? fmt::format("{}", value) : std::string(); }

std::string optional_number(const std::optional<double>& value) { return value ? number(*value) : std::string(); }

std::string row(const std::vector<std::string>& fields) { return fmt::format("{}\n", fmt::join(fields, ",")); }

}  // namespace mpq::report
