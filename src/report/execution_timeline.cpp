#include <algorithm>

#include <fmt/format.h>

#include "report/execution_view.h"

namespace mpq::report {
namespace {

/// Requests are told apart by a digit or letter, in turn.
char mark_of(std::int64_t request) {
  constexpr const char* kMarks = "0123456789abcdefghijklmnopqrstuvwxyz";
  return kMarks[static_cast<std::size_t>(request % 36)];
}

}  // namespace

std::string timeline_text(const ExecutionRecord& record, const Style& style) {
  const auto [first, last] = timeline_span(record);
  std::size_t names = 0;
  for (const std::string& name : record.processors) names = std::max(names, display_width(printable(name)));
  const std::size_t cells = std::max<std::size_t>(20, style.width() - std::min(style.width(), names + 3));
  const double per_second = last > first ? static_cast<double>(cells) / (last - first) : 0;
  std::string text = fmt::format("Timeline of {} (digits and letters are requests, in turn)\n", milliseconds(last - first));
  for (std::size_t p = 0; p < record.processors.size(); ++p) {
    std::string line(cells, '.');
    double busy = 0;
    for (const ExecutionEvent& event : record.timeline) {
      if (event.processor != static_cast<int>(p)) continue;
      busy += event.end - event.start;
      const auto begin = std::min(cells - 1, static_cast<std::size_t>((event.start - first) * per_second));
      const auto end = std::min(cells, std::max(begin + 1, static_cast<std::size_t>((event.end - first) * per_second)));
      std::fill(line.begin() + static_cast<std::ptrdiff_t>(begin), line.begin() + static_cast<std::ptrdiff_t>(end), mark_of(event.request));
    }
    if (busy <= 0) continue;
    const std::string name = printable(record.processors[p]);
    text += std::string(names - display_width(name), ' ') + name + " |" + line + '\n';
  }
  return text;
}

}  // namespace mpq::report
