#include "report/style.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace mpq::report {
namespace {

const char* escape_code(Tone tone) {
  switch (tone) {
    case Tone::kHeading:
      return "\x1b[1m";
    case Tone::kFaint:
      return "\x1b[2m";
    case Tone::kGood:
      return "\x1b[32m";
    case Tone::kWarning:
      return "\x1b[33m";
    case Tone::kBad:
      return "\x1b[31m";
    case Tone::kPlain:
      break;
  }
  return "";
}

}  // namespace

std::string wrap(const std::string& text, std::size_t indent, std::size_t width) {
  std::string result;
  std::size_t column = indent;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    const std::size_t cells = display_width(word);
    const bool first = column == indent;
    if (!first && column + 1 + cells > width) {
      result += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (!first) {
      result += ' ';
      ++column;
    }
    result += word;
    column += cells;
    begin = end + 1;
  }
  return result;
}

std::string Style::paint(Tone tone, const std::string& text) const {
  if (!color_ || tone == Tone::kPlain || text.empty()) return text;
  return escape_code(tone) + text + "\x1b[0m";
}

std::string Style::rule() const {
  std::string line;
  for (int i = 0; i < width_; ++i) line += unicode_ ? "─" : "-";
  return paint(Tone::kFaint, line);
}

std::string Style::bar(double fraction, int cells) const {
  const double clipped = std::isfinite(fraction) ? std::clamp(fraction, 0.0, 1.0) : 0.0;
  if (!unicode_) return std::string(static_cast<std::size_t>(std::lround(clipped * cells)), '#');
  constexpr std::array<const char*, 8> kParts = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const long eighths = std::lround(clipped * cells * 8);
  std::string result;
  for (long i = 0; i < eighths / 8; ++i) result += "█";
  return result + kParts[static_cast<std::size_t>(eighths % 8)];
}

}  // namespace mpq::report
