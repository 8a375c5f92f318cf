#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace mpq::placing {

inline constexpr double kNever = std::numeric_limits<double>::infinity();

/// A processor as the planner sees it. Tensors are handed over through host memory, as the executor does it: a reader
/// pays to take them in, a writer to give them out. Where the processor works in host memory the costs by bytes are 0.
struct Processor {
  std::string name;
  std::uint64_t resources = 0;  ///< bits of the cores and devices it occupies; processors that share one exclude each other
  double run_overhead = 0;      ///< seconds of every run of a session, whatever is in it; part of every segment's time
  double in_seconds = 0, in_seconds_per_byte = 0;
  double out_seconds = 0, out_seconds_per_byte = 0;
  double memory_bytes = kNever;
};

/// A value that leaves the segment that computes it.
struct Handover {
  std::int64_t bytes = 0;
  int producer = -1;           ///< -1: an input of the network
  std::vector<int> consumers;  ///< rising, each behind the producer
};

/// Segments in topological order, and what each costs on each processor.
struct Problem {
  std::vector<Processor> processors;
  int segments = 0;
  /// [segment * processors + processor]: run alone as one session; kNever where it does not run there.
  std::vector<double> seconds;
  /// Likewise: what the segment and the next one save in one session; empty when nothing but the overhead of one run.
  std::vector<double> savings;
  std::vector<double> memory;   ///< bytes, likewise; empty when nothing is known
  std::vector<Handover> handovers;

  int processor_count() const { return static_cast<int>(processors.size()); }
  std::size_t cell(int segment, int processor) const {
    return static_cast<std::size_t>(segment * processor_count() + processor);
  }
  double time(int segment, int processor) const { return seconds[cell(segment, processor)]; }
  double bytes(int segment, int processor) const { return memory.empty() ? 0 : memory[cell(segment, processor)]; }
  /// Seconds that `second` takes more when it runs in one session behind `first` and others; at least 0.
  double time_behind(int first, int second, int processor) const;
  bool exclude_each_other(int a, int b) const {
    return (processors[static_cast<std::size_t>(a)].resources & processors[static_cast<std::size_t>(b)].resources) != 0;
  }
};

/// Throws Error{kInvalidInput} for a problem without segments or processors, with processors without resources, with
/// times that are negative or not numbers, handovers that run backwards, or a segment that runs nowhere.
void validate(const Problem& problem);

/// Sets of processors as bits, rising, none holding two that exclude each other; the empty set first.
std::vector<std::uint32_t> compatible_sets(const Problem& problem);
/// Those of them that no further processor fits into.
std::vector<std::uint32_t> largest_compatible_sets(const Problem& problem);

}  // namespace mpq::placing
