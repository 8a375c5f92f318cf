#include <algorithm>
#include <bit>
#include <limits>

#include "place/spans.h"
#include "place/throughput.h"

// A state is (i, S): the segments before i are served by exactly the processors S. Its value is the greatest rate of
// the slowest stage; it grows by a stage [i, e) on the processors G outside of S:
//
//   rate(e, S + G) = max over i, G of min(rate(i, S), sum over p in G of 1 / t_p(i, e))
//
// Two observations keep it fast and exact. A state no faster than one with fewer processors at the same segment is not
// needed: the lane partition may leave processors to others. And a pipeline on S + G that is no faster than the whole
// network on each of these processors is not needed either, nor is anything it grows into, since more processors make
// these replicas only faster. The rate by computing time alone never rises with e, so the pair (S, G) can be dropped
// for good once it falls below that mark.

namespace mpq::placing {
namespace {

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

class PipelineSearch {
 public:
  PipelineSearch(const Problem& problem, bool replicated, std::optional<double> limit)
      : problem_(problem), spans_(problem), sets_(1U << problem.processor_count()), replicated_(replicated) {
    compatible_.assign(sets_, false);
    for (const std::uint32_t set : compatible_sets(problem)) compatible_[set] = true;
    const std::size_t states = static_cast<std::size_t>(problem.segments + 1) * sets_;
    rate_.assign(states, 0);
    from_.assign(states, {});
    set_marks(limit);
  }

  Pipelines run() {
    rate_[state(0, 0)] = kUnlimited;
    for (int first = 0; first < problem_.segments; ++first) extend(first);
    Pipelines result;
    result.rate.assign(sets_, 0);
    result.stages.resize(sets_);
    for (std::uint32_t set = 1; set < sets_; ++set) {
      result.rate[set] = rate_[state(problem_.segments, set)];
      if (result.rate[set] > 0) result.stages[set] = trace(set);
    }
    return result;
  }

 private:
  struct From {
    int segment = 0;
    std::uint32_t group = 0;
  };
  struct Pair {
    std::uint32_t set, group;
    double rate;
  };

  std::size_t state(int segment, std::uint32_t set) const { return static_cast<std::size_t>(segment) * sets_ + set; }

  void set_marks(std::optional<double> limit) {
    mark_.assign(sets_, 0);
    for (std::uint32_t set = 1; set < sets_; ++set) {
      const std::uint32_t rest = set & (set - 1);
      const double seconds = spans_.seconds(0, problem_.segments, std::countr_zero(set));
      const double rate = limit && seconds > *limit ? 0 : 1 / seconds;
      mark_[set] = replicated_ ? mark_[rest] + rate : std::max(mark_[rest], rate);
    }
  }

  /// By group: the rate at which it serves the span; by computing alone, or with everything.
  void fill_group_rates(int first, int end, bool computing_alone, std::vector<double>& rates) const {
    rates[0] = 0;
    for (std::uint32_t group = 1; group < sets_; ++group) {
      const std::uint32_t rest = group & (group - 1);
      if (rest == 0) {
        const int p = std::countr_zero(group);
        const double seconds = computing_alone ? spans_.compute(first, end, p) : spans_.seconds(first, end, p);
        rates[group] = seconds > 0 ? 1 / seconds : kUnlimited;
      } else {
        rates[group] = rates[group ^ rest] + rates[rest];
      }
    }
  }

  /// The states at `first` worth growing, each with the groups that may serve the next stage.
  std::vector<Pair> pairs_at(int first) const {
    std::vector<double> best(sets_, 0);  // over all subsets
    std::vector<Pair> pairs;
    for (std::uint32_t set = 0; set < sets_; ++set) {
      double subsets = 0;
      for (std::uint32_t rest = set; rest != 0; rest &= rest - 1)
        subsets = std::max(subsets, best[set ^ (rest & (~rest + 1))]);
      const double rate = rate_[state(first, set)];
      best[set] = std::max(rate, subsets);
      if (rate > subsets) add_pairs(set, rate, pairs);
    }
    return pairs;
  }

  void add_pairs(std::uint32_t set, double rate, std::vector<Pair>& pairs) const {
    const std::uint32_t others = (sets_ - 1) & ~set;
    for (std::uint32_t group = others; group != 0; group = (group - 1) & others) {
      if (!compatible_[set | group] || (!replicated_ && !std::has_single_bit(group))) continue;
      if (rate > mark_[set | group]) pairs.push_back({set, group, rate});
    }
  }

  void extend(int first) {
    std::vector<Pair> pairs = pairs_at(first);
    std::vector<double> rates(sets_), computing(sets_);
    for (int end = first + 1; end <= problem_.segments && !pairs.empty(); ++end) {
      fill_group_rates(first, end, false, rates);
      fill_group_rates(first, end, true, computing);
      std::size_t kept = 0;
      for (const Pair& pair : pairs) {
        const std::uint32_t both = pair.set | pair.group;
        if (computing[pair.group] <= mark_[both]) continue;
        pairs[kept++] = pair;
        // The whole network on each of several processors is as many lanes.
        if (first == 0 && end == problem_.segments && !std::has_single_bit(pair.group)) continue;
        const double rate = std::min(pair.rate, rates[pair.group]);
        double& known = rate_[state(end, both)];
        if (rate <= std::max(known, mark_[both])) continue;
        known = rate;
        from_[state(end, both)] = {first, pair.group};
      }
      pairs.resize(kept);
    }
  }

  std::vector<Stage> trace(std::uint32_t set) const {
    std::vector<Stage> stages;
    for (int end = problem_.segments; end > 0;) {
      const From& from = from_[state(end, set)];
      stages.push_back({from.segment, end, from.group});
      end = from.segment;
      set &= ~from.group;
    }
    std::reverse(stages.begin(), stages.end());
    return stages;
  }

  const Problem& problem_;
  Spans spans_;
  std::uint32_t sets_;
  bool replicated_;
  std::vector<bool> compatible_;
  std::vector<double> rate_;  // by state
  std::vector<From> from_;
  std::vector<double> mark_;  // by set: what the whole network on each of its processors (or the best one) gives
};

}  // namespace

Pipelines best_pipelines(const Problem& problem, bool replicated, std::optional<double> latency_limit) {
  return PipelineSearch(problem, replicated, latency_limit).run();
}

}  // namespace mpq::placing
