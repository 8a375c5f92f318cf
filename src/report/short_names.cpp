#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "mpq/text.h"

// Layers of one network have long names that differ in a segment or two: /encoder/layer.7/attention/self/query/MatMul.
// Cut in the middle they all read alike. Here the segments that most names share give way first, as long as what is
// left fits one name only.

namespace mpq {
namespace {

using Segments = std::vector<std::string>;

/// "/a/b.c" as "/a", "/b.c"; a name without a slash at its dots and colons. Each segment begins with its separator. A
/// name of absurdly many is one segment.
Segments segments_of(const std::string& name) {
  constexpr std::size_t kMost = 40;
  const std::string separators = name.find('/') != std::string::npos ? "/" : ".:";
  Segments segments;
  for (const char c : name) {
    if (segments.empty() || separators.find(c) != std::string::npos) segments.emplace_back();
    segments.back() += c;
  }
  return segments.size() > kMost ? Segments{name} : segments;
}

constexpr char kGap[] = "";  ///< in a pattern: one segment or more

/// Whether the pattern, segments and gaps, is read as `whole`.
bool matches(const Segments& pattern, const Segments& whole) {
  std::size_t p = 0, w = 0, after_gap = 0, gap_end = 0;
  while (w < whole.size()) {
    if (p < pattern.size() && pattern[p] == kGap) {
      after_gap = ++p;
      gap_end = ++w;
    } else if (p < pattern.size() && pattern[p] == whole[w]) {
      ++p;
      ++w;
    } else if (after_gap > 0) {  // the last gap is longer
      p = after_gap;
      w = ++gap_end;
    } else {
      return false;
    }
  }
  return p == pattern.size();
}

class Siblings {
 public:
  explicit Siblings(const std::vector<std::string>& names) {
    for (const std::string& name : std::set<std::string>(names.begin(), names.end())) {
      segments_.push_back(segments_of(name));
      for (const std::string& segment : std::set<std::string>(segments_.back().begin(), segments_.back().end()))
        holders_[segment].push_back(segments_.size() - 1);
    }
  }

  /// `name`, one of the list, without shared segments until it fits or more would make it read like another.
  std::string abridge(const std::string& name, std::size_t cells, const std::string& ellipsis) const {
    const Segments segments = segments_of(name);
    std::vector<std::size_t> order(segments.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return holders_.at(segments[a]).size() > holders_.at(segments[b]).size();
    });
    std::vector<bool> kept(segments.size(), true);
    std::string text = name;
    for (const std::size_t i : order) {
      if (display_width(text) <= cells) break;
      kept[i] = false;
      const Segments pattern = without_dropped(segments, kept);
      kept[i] = !reads_as_one(pattern);
      if (!kept[i]) text = joined(pattern, ellipsis);
    }
    return with_shorter_segment(without_dropped(segments, kept), cells, ellipsis);
  }

 private:
  /// A gap where one segment or more were dropped.
  static Segments without_dropped(const Segments& segments, const std::vector<bool>& kept) {
    Segments pattern;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      if (kept[i])
        pattern.push_back(segments[i]);
      else if (pattern.empty() || pattern.back() != kGap)
        pattern.emplace_back(kGap);
    }
    return pattern;
  }

  /// Numbers stand in short segments: what is still too long is cut in its longest one.
  static std::string with_shorter_segment(Segments pattern, std::size_t cells, const std::string& ellipsis) {
    const std::size_t width = display_width(joined(pattern, ellipsis)), excess = width - std::min(width, cells);
    const auto longest = std::max_element(pattern.begin(), pattern.end(), [](const auto& a, const auto& b) {
      return display_width(a) < display_width(b);
    });
    const std::size_t least = 4 + display_width(ellipsis);
    if (excess > 0 && display_width(*longest) >= excess + least)
      *longest = shorten_middle(*longest, display_width(*longest) - excess, ellipsis);
    return joined(pattern, ellipsis);
  }

  static std::string joined(const Segments& pattern, const std::string& ellipsis) {
    std::string text;
    for (const std::string& part : pattern) text += part == kGap ? ellipsis : part;
    return text;
  }

  bool reads_as_one(const Segments& pattern) const {
    const std::vector<std::size_t>* fewest = nullptr;
    for (const std::string& part : pattern) {
      if (part == kGap) continue;
      const auto& holders = holders_.at(part);
      if (fewest == nullptr || holders.size() < fewest->size()) fewest = &holders;
    }
    return fewest != nullptr && std::count_if(fewest->begin(), fewest->end(),
                                              [&](std::size_t name) { return matches(pattern, segments_[name]); }) == 1;
  }

  std::vector<Segments> segments_;                           ///< of every name
  std::map<std::string, std::vector<std::size_t>> holders_;  ///< segment -> the names that hold it
};

}  // namespace

std::vector<std::string> shorten_names(const std::vector<std::string>& names, std::size_t cells,
                                       const std::string& ellipsis) {
  const Siblings siblings(names);
  std::vector<std::string> result;
  for (const std::string& name : names)
    result.push_back(shorten_middle(siblings.abridge(name, cells, ellipsis), cells, ellipsis));
  return result;
}

}  // namespace mpq
