#include "text_table.h"

#include <algorithm>
#include <numeric>

#include "mpq/text.h"

namespace mpq::cli {

std::string text_table(const std::vector<std::vector<std::string>>& rows, std::size_t flexible,
                       const std::vector<std::size_t>& right, std::size_t width) {
  constexpr std::size_t kGap = 2, kLeast = 14;
  if (rows.empty()) return "";
  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], display_width(row[c]));
  }
  const std::size_t total = std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1));
  if (total > width) {
    const std::size_t excess = total - width;
    widths[flexible] =
        std::max(std::min(widths[flexible], kLeast), widths[flexible] - std::min(excess, widths[flexible]));
  }
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(row[flexible]);
  names = shorten_names(names, widths[flexible]);
  std::string result;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const auto& row = rows[r];
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string text = c == flexible ? names[r] : row[c];
      const std::string fill(widths[c] - std::min(widths[c], display_width(text)), ' ');
      const bool to_right = std::find(right.begin(), right.end(), c) != right.end();
      line += (c == 0 ? "" : std::string(kGap, ' ')) + (to_right ? fill + text : text + fill);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + '\n';
  }
  return result;
}

}  // namespace mpq::cli
