#include "text_table.h"

#include <algorithm>
#include <numeric>

#include "mpq/text.h"

namespace mpq::cli {

std::string text_table(const std::vector<std::vector<std::string>>& rows, std::size_t flexible,
                       const std::vector<std::size_t>& right, std::size_t width,
                       const std::vector<std::size_t>& spare) {
  constexpr std::size_t kGap = 2, kReadable = 20, kLeast = 14;
  if (rows.empty()) return "";
  const auto is_in = [](const std::vector<std::size_t>& list, std::size_t c) {
    return std::find(list.begin(), list.end(), c) != list.end();
  };
  std::vector<std::size_t> widths(rows[0].size()), shown(rows[0].size());
  std::iota(shown.begin(), shown.end(), 0);
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], display_width(row[c]));
  }
  const auto excess = [&] {
    std::size_t total = kGap * (shown.size() - 1);
    for (const std::size_t c : shown) total += widths[c];
    return total - std::min(total, width);
  };
  for (const std::size_t c : spare) {
    if (excess() > widths[flexible] - std::min(widths[flexible], kReadable)) std::erase(shown, c);
  }
  widths[flexible] =
      std::max(std::min(widths[flexible], kLeast), widths[flexible] - std::min(excess(), widths[flexible]));
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(row[flexible]);
  names = shorten_names(names, widths[flexible]);
  std::string result;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (const std::size_t c : shown) {
      const std::string& text = c == flexible ? names[r] : rows[r][c];
      const std::string fill(widths[c] - std::min(widths[c], display_width(text)), ' ');
      line += (c == shown.front() ? "" : std::string(kGap, ' ')) + (is_in(right, c) ? fill + text : text + fill);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + '\n';
  }
  return result;
}

}  // namespace mpq::cli
