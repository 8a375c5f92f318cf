#include "place/blocks.h"

#include <algorithm>
#include <bit>

namespace mpq::placing {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

/// How many segments a segment reaches, and how many reach it.
struct Reach {
  std::vector<int> to, from;
};

Reach reach_of(const Problem& problem) {
  const std::size_t n = at(problem.segments);
  std::vector<std::vector<bool>> reads(n, std::vector<bool>(n, false));  // [reader][all it depends on]
  std::vector<std::vector<int>> direct(n);
  for (const Handover& value : problem.handovers) {
    if (value.producer < 0) continue;
    for (const int consumer : value.consumers) direct[at(consumer)].push_back(value.producer);
  }
  Reach reach{std::vector<int>(n, 0), std::vector<int>(n, 0)};
  for (std::size_t s = 0; s < n; ++s) {
    for (const int before : direct[s]) {
      if (reads[s][at(before)]) continue;
      reads[s][at(before)] = true;
      for (std::size_t i = 0; i < at(before); ++i) {
        if (reads[at(before)][i]) reads[s][i] = true;
      }
    }
    for (std::size_t i = 0; i < s; ++i) {
      if (!reads[s][i]) continue;
      ++reach.from[s];
      ++reach.to[i];
    }
  }
  return reach;
}

/// One way to run a block.
struct Way {
  int processor = -1;       // the whole block in one session; -1: tasks
  std::vector<Task> tasks;  // list scheduled
  double seconds = 0;       // run by itself
};

class BlockSearch {
 public:
  explicit BlockSearch(const Problem& problem) : problem_(problem), blocks_(blocks_of(problem)) {
    for (const std::uint32_t set : largest_compatible_sets(problem)) {
      if (!std::has_single_bit(set)) sets_.push_back(set);
    }
    bytes_into_.assign(blocks_.size(), 0);
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      for (const Handover& value : problem.handovers) {
        const auto& readers = value.consumers;
        const bool read = std::any_of(readers.begin(), readers.end(),
                                      [&](int c) { return c >= blocks_[b].first && c < blocks_[b].end; });
        if (read && value.producer >= 0 && value.producer < blocks_[b].first)
          bytes_into_[b] += static_cast<double>(value.bytes);
      }
    }
  }

  Schedule run() {
    std::vector<std::vector<Way>> ways;
    std::vector<std::vector<int>> from(blocks_.size());
    std::vector<double> before;
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      ways.push_back(ways_of(blocks_[b]));
      std::vector<double> best(ways[b].size(), kNever);
      from[b].assign(ways[b].size(), -1);
      for (std::size_t w = 0; w < ways[b].size(); ++w) {
        if (b == 0) best[w] = ways[b][w].seconds;
        for (std::size_t v = 0; v < before.size(); ++v) {
          const double seconds = before[v] + behind(b, ways[b - 1][v], ways[b][w]);
          if (seconds >= best[w]) continue;
          best[w] = seconds;
          from[b][w] = static_cast<int>(v);
        }
      }
      before = std::move(best);
    }
    const auto last = std::min_element(before.begin(), before.end());
    if (last == before.end() || *last == kNever) return {};
    return collect(ways, from, static_cast<int>(last - before.begin()));
  }

 private:
  std::vector<Way> ways_of(const Block& block) const {
    std::vector<Way> ways;
    for (int p = 0; p < problem_.processor_count(); ++p) {
      double seconds = problem_.time(block.first, p);
      for (int s = block.first + 1; s < block.end; ++s) {
        // A segment that does not run here has no time at which it could run behind another.
        seconds += problem_.time(s, p) == kNever ? kNever : problem_.time_behind(s - 1, s, p);
      }
      if (seconds < kNever) ways.push_back({p, {}, seconds});
    }
    for (const std::uint32_t set : sets_) {
      if (block.end - block.first < 2) break;
      Schedule schedule{list_schedule(problem_, block.first, block.end, set), 0};
      if (schedule.tasks.empty()) continue;
      join_tasks(problem_, schedule);
      ways.push_back({-1, schedule.tasks, schedule.seconds});
    }
    return ways;
  }

  /// Seconds that block `b` adds, run in this way behind the block before it.
  double behind(std::size_t b, const Way& before, const Way& way) const {
    if (way.processor < 0) return way.seconds;
    const int first = blocks_[b].first;
    if (before.processor == way.processor)
      return way.seconds - problem_.time(first, way.processor) + problem_.time_behind(first - 1, first, way.processor);
    const Processor& reader = problem_.processors[at(way.processor)];
    double seconds = way.seconds + reader.in_seconds + reader.in_seconds_per_byte * bytes_into_[b];
    if (before.processor >= 0) {
      const Processor& writer = problem_.processors[at(before.processor)];
      seconds += writer.out_seconds + writer.out_seconds_per_byte * bytes_into_[b];
    }
    return seconds;
  }

  Schedule collect(const std::vector<std::vector<Way>>& ways, const std::vector<std::vector<int>>& from, int last) const {
    std::vector<const Way*> chosen(blocks_.size());
    for (std::size_t b = blocks_.size(); b-- > 0;) {
      chosen[b] = &ways[b][at(last)];
      last = from[b][at(last)];
    }
    Schedule schedule;
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      const Way& way = *chosen[b];
      if (way.processor < 0) {
        schedule.tasks.insert(schedule.tasks.end(), way.tasks.begin(), way.tasks.end());
        continue;
      }
      const bool grows = b > 0 && chosen[b - 1]->processor == way.processor;
      if (!grows) schedule.tasks.push_back({{}, way.processor});
      for (int s = blocks_[b].first; s < blocks_[b].end; ++s) schedule.tasks.back().segments.push_back(s);
    }
    return schedule;
  }

  const Problem& problem_;
  std::vector<Block> blocks_;
  std::vector<std::uint32_t> sets_;
  std::vector<double> bytes_into_;  // by block: what it reads of those before
};

}  // namespace

std::vector<Block> blocks_of(const Problem& problem) {
  const Reach reach = reach_of(problem);
  std::vector<Block> blocks;
  int begin = 0;
  for (int s = 0; s < problem.segments; ++s) {
    const bool everything = reach.from[at(s)] == s && reach.to[at(s)] == problem.segments - 1 - s;
    if (!everything) continue;
    if (begin < s) blocks.push_back({begin, s});
    blocks.push_back({s, s + 1});
    begin = s + 1;
  }
  if (begin < problem.segments) blocks.push_back({begin, problem.segments});
  return blocks;
}

Schedule schedule_blocks(const Problem& problem) { return BlockSearch(problem).run(); }

}  // namespace mpq::placing
