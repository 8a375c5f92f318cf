#include "mpq/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace mpq {
namespace {

std::uint32_t code_point(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(character[i])); };
  switch (character.size()) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1FU) << 6 | (byte(1) & 0x3FU);
    case 3:
      return (byte(0) & 0x0FU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU);
    default:
      return (byte(0) & 0x07U) << 18 | (byte(1) & 0x3FU) << 12 | (byte(2) & 0x3FU) << 6 | (byte(3) & 0x3FU);
  }
}

/// Controls (C0, DEL, C1) and the marks that reorder or hide text.
bool is_unprintable(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

/// The blocks of East Asian wide characters (Unicode annex 11), coarsely.
std::size_t cells_of(std::uint32_t c) {
  constexpr std::array<std::array<std::uint32_t, 2>, 9> kWide = {{{0x1100, 0x115F},
                                                                  {0x2E80, 0xA4CF},
                                                                  {0xAC00, 0xD7A3},
                                                                  {0xF900, 0xFAFF},
                                                                  {0xFE30, 0xFE6F},
                                                                  {0xFF00, 0xFF60},
                                                                  {0xFFE0, 0xFFE6},
                                                                  {0x1F300, 0x1FAFF},
                                                                  {0x20000, 0x3FFFD}}};
  const bool wide = std::any_of(kWide.begin(), kWide.end(), [&](const auto& r) { return c >= r[0] && c <= r[1]; });
  return wide ? 2 : 1;
}

std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> result;
  while (!text.empty()) {
    const std::size_t bytes = std::max<std::size_t>(1, utf8_length(text));
    result.push_back(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  return result;
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned lead = byte(0);
  if (text.empty()) return 0;
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool second = tail(1) && !(lead == 0xE0 && byte(1) < 0xA0) && !(lead == 0xED && byte(1) > 0x9F);
    return second && tail(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool second = tail(1) && !(lead == 0xF0 && byte(1) < 0x90) && !(lead == 0xF4 && byte(1) > 0x8F);
    return second && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t bytes = utf8_length(text);
    const bool shown = bytes > 0 && !is_unprintable(code_point(text.substr(0, bytes)));
    result += shown ? std::string(text.substr(0, bytes)) : std::string("?");
    text.remove_prefix(std::max<std::size_t>(1, bytes));
  }
  return result;
}

std::size_t display_width(std::string_view text) {
  std::size_t cells = 0;
  for (const std::string_view character : characters(text)) cells += cells_of(code_point(character));
  return cells;
}

std::string shorten_middle(const std::string& text, std::size_t cells, const std::string& ellipsis) {
  if (display_width(text) <= cells) return text;
  const std::size_t gap = display_width(ellipsis);
  if (cells <= gap) return std::string(cells, '.');
  // The end gets the odd cell: it holds the part that differs between sibling layers.
  const std::size_t head_cells = (cells - gap) / 2, tail_cells = cells - gap - head_cells;
  const auto all = characters(text);
  std::string head, tail;
  std::size_t used = 0;
  for (auto it = all.begin(); it != all.end(); ++it) {
    used += cells_of(code_point(*it));
    if (used > head_cells) break;
    head += *it;
  }
  used = 0;
  for (auto it = all.rbegin(); it != all.rend(); ++it) {
    used += cells_of(code_point(*it));
    if (used > tail_cells) break;
    tail = std::string(*it) + tail;
  }
  return head + ellipsis + tail;
}

}  // namespace mpq
