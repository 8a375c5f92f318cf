#pragma once

#include <optional>
#include <string>
#include <vector>

namespace mpq::report {

/// A field of RFC 4180: quoted where it holds a separator, a quote or a line break.
std::string quoted(const std::string& text);
/// Shortest text that reads back as the same number; empty for what is no number.
std::string number(double value);
std::string optional_number(const std::optional<double>& value);
std::string row(const std::vector<std::string>& fields);

}  // namespace mpq::report
