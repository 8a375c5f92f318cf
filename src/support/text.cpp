#include "support/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>

namespace mpq {
namespace {

/// Matches one character of `text` against the element of the pattern at `p`, and moves `p` behind that element.
bool match_one(std::string_view pattern, std::size_t& p, char c) {
  const char first = pattern[p++];
  if (first == '?') return true;
  if (first == '\\' && p < pattern.size()) return pattern[p++] == c;
  if (first != '[') return first == c;
  // A bracket expression: a `]` right after the start is a member; without an end the bracket stands for itself.
  std::size_t i = p;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool found = false;
  for (const std::size_t start = i; i < pattern.size() && (pattern[i] != ']' || i == start); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    char low = pattern[i], high = low;
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      high = pattern[i + 2];
      i += 2;
    }
    const auto code = static_cast<unsigned char>(c);
    found = found || (static_cast<unsigned char>(low) <= code && code <= static_cast<unsigned char>(high));
  }
  if (i >= pattern.size()) return c == '[';
  p = i + 1;
  return found != negated;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) { return lower(c); });
  return result;
}

/// Levenshtein distance.
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

std::string without_wildcards(const std::string& glob) {
  std::string plain;
  for (const char c : glob) {
    if (c != '*' && c != '?' && c != '[' && c != ']' && c != '\\') plain += lower(c);
  }
  return plain;
}

std::string fixed(double value, int decimals) {
  std::array<char, 64> buffer;
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, decimals);
  return {buffer.data(), end.ptr};
}

std::string strip_zeros(std::string digits) {
  if (digits.find('.') == std::string::npos) return digits;
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  return digits;
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view text) {
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t p = 0, t = 0, star = kNone, star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_text = t;
      continue;
    }
    std::size_t after = p;
    if (p < pattern.size() && match_one(pattern, after, text[t])) {
      p = after;
      ++t;
      continue;
    }
    // Only the last star needs to give way: an earlier one can gain nothing (linear space, quadratic time).
    if (star == kNone) return false;
    p = star;
    t = ++star_text;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<std::string> nearest(const std::string& name, const std::vector<std::string>& known, std::size_t count) {
  const std::string wanted = without_wildcards(name);
  if (wanted.empty()) return {};
  const std::size_t limit = std::max<std::size_t>(2, wanted.size() / 3);
  std::vector<std::pair<std::size_t, const std::string*>> found;
  for (const std::string& candidate : known) {
    const std::string text = lower(candidate);
    // Names in a graph are paths: a part that is written out counts as near, and so does a last component with a typo.
    std::size_t distance = edit_distance(wanted, text);
    const std::size_t slash = text.rfind('/');
    if (slash != std::string::npos) distance = std::min(distance, 1 + edit_distance(wanted, text.substr(slash + 1)));
    if (text.find(wanted) != std::string::npos) distance = std::min<std::size_t>(distance, 1);
    if (distance <= limit) found.emplace_back(distance, &candidate);
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> result;
  for (std::size_t i = 0; i < std::min(count, found.size()); ++i) result.push_back(*found[i].second);
  return result;
}

std::string format_bytes(std::int64_t bytes) {
  constexpr std::array<const char*, 7> kUnits = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  const double magnitude = std::abs(static_cast<double>(bytes));
  if (magnitude < 1000) return std::to_string(bytes) + " B";
  double value = magnitude;
  std::size_t unit = 0;
  // 999.5 and above would print as 1000 of the smaller unit.
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return (bytes < 0 ? "-" : "") + fixed(value, decimals) + " " + kUnits[unit];
}

std::string format_count(std::int64_t value) {
  std::string digits = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t i = digits.size(); i > first + 3; i -= 3) digits.insert(i - 3, 1, ',');
  return digits;
}

std::string format_number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  if (value == 0) return "0";
  std::array<char, 64> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific, 3);
  const std::string text(buffer.data(), end.ptr);
  const std::size_t mark = text.find('e');
  const int exponent = std::stoi(text.substr(mark + 1));  // of the rounded value: 9.9999 counts as 10
  if (exponent < -3 || exponent > 5) return strip_zeros(text.substr(0, mark)) + text.substr(mark);
  return strip_zeros(fixed(value, std::max(0, 3 - exponent)));
}

std::optional<double> parse_decimal(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string join(const std::vector<std::string>& parts, const std::string& separator) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) text += (i ? separator : "") + parts[i];
  return text;
}

}  // namespace mpq
