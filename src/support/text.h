#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mpq {

/// Shell-style match of the whole text: `*`, `?`, `[a-z]`, `\` escapes. `*` also matches `/`.
bool glob_match(std::string_view pattern, std::string_view text);

/// Up to `count` of `known` nearest to `name` by edit distance (a glob's wildcards ignored), best first;
/// nothing that is not near.
std::vector<std::string> nearest(const std::string& name, const std::vector<std::string>& known, std::size_t count = 3);

/// "12.3 MB" (powers of 1000), "1,234,567".
std::string format_bytes(std::int64_t bytes);
std::string format_count(std::int64_t value);
/// Four significant digits, no exponent between 1e-3 and 1e6: "0.0123", "1.23e-07".
std::string format_number(double value);
/// The number that is the whole text, without sign of plus or exponent ("0.5", "-3"); nothing for any other text.
std::optional<double> parse_decimal(std::string_view text);
std::string join(const std::vector<std::string>& parts, const std::string& separator);

}  // namespace mpq
