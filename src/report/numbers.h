#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mpq::report {

/// Three significant digits in at most eight cells: "0.0123", "1.23e-07".
std::string short_number(double value);
/// Two significant digits, for standard errors.
std::string short_error(double value);
/// A count in at most five cells: "950", "38.4k", "23.5M". Powers of 1000.
std::string short_count(std::int64_t value);
/// "64x3x7x7"; "scalar" for rank 0.
std::string shape_text(const std::vector<std::int64_t>& shape);
/// A share as "12 %", "0.3 %", "<0.1 %".
std::string percent(double fraction);
/// "840 ms", "12.3 s", "4 min 10 s".
std::string duration(double seconds);
/// "1 sample", "12 samples".
std::string counted(std::int64_t count, const std::string& noun);
/// "812 us", "3.41 ms", "1.2 s": three significant digits.
std::string time_text(double seconds);

}  // namespace mpq::report
