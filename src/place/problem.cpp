#include "place/problem.h"

#include <algorithm>
#include <cmath>

#include "mpq/error.h"

namespace mpq::placing {
namespace {

// 3^10 pairs of sets times the square of the segments is what a second allows.
constexpr int kMostProcessors = 10;

[[noreturn]] void refuse(const std::string& what, const std::string& hint = {}) {
  throw Error(ErrorCode::kInvalidInput, what, "the profile", hint);
}

void check_processors(const Problem& problem) {
  if (problem.processors.empty()) refuse("There is no processor to place the network on.");
  if (problem.processor_count() > kMostProcessors)
    refuse(std::to_string(problem.processor_count()) + " processors are more than the " +
               std::to_string(kMostProcessors) + " that a placement can weigh.",
           "Join cores to larger processors, such as cpu:0-7.");
  for (const Processor& processor : problem.processors) {
    if (processor.resources == 0) refuse("The processor " + processor.name + " has neither cores nor a device.");
    for (const double cost : {processor.run_overhead, processor.in_seconds, processor.in_seconds_per_byte,
                              processor.out_seconds, processor.out_seconds_per_byte}) {
      if (!(cost >= 0) || std::isinf(cost)) refuse("A cost of the processor " + processor.name + " is not a time.");
    }
  }
}

void check_segments(const Problem& problem) {
  if (problem.segments <= 0) refuse("There is no segment to place.");
  for (int segment = 0; segment < problem.segments; ++segment) {
    bool somewhere = false;
    for (int p = 0; p < problem.processor_count(); ++p) {
      const double time = problem.time(segment, p);
      if (!(time >= 0)) refuse("The time of segment " + std::to_string(segment) + " is not a time.");
      somewhere = somewhere || time < kNever;
    }
    if (!somewhere) refuse("Segment " + std::to_string(segment) + " runs on none of the processors.");
  }
  for (const Handover& handover : problem.handovers) {
    int last = handover.producer;
    for (const int consumer : handover.consumers) {
      if (consumer <= last || consumer >= problem.segments)
        refuse("A tensor is handed from segment " + std::to_string(last) + " to " + std::to_string(consumer) + ".");
      last = consumer;
    }
  }
}

}  // namespace

double Problem::time_behind(int first, int second, int processor) const {
  const bool neighbours = second == first + 1 && !savings.empty();
  const double saving =
      neighbours ? savings[cell(first, processor)] : processors[static_cast<std::size_t>(processor)].run_overhead;
  return std::max(0.0, time(second, processor) - saving);
}

void validate(const Problem& problem) {
  check_processors(problem);
  check_segments(problem);
}

std::vector<std::uint32_t> compatible_sets(const Problem& problem) {
  std::vector<std::uint32_t> sets;
  for (std::uint32_t set = 0; set < (1U << problem.processor_count()); ++set) {
    bool fits = true;
    for (int a = 0; a < problem.processor_count(); ++a) {
      for (int b = 0; b < a; ++b) {
        if ((set >> a & 1U) != 0 && (set >> b & 1U) != 0) fits = fits && !problem.exclude_each_other(a, b);
      }
    }
    if (fits) sets.push_back(set);
  }
  return sets;
}

std::vector<std::uint32_t> largest_compatible_sets(const Problem& problem) {
  const std::vector<std::uint32_t> sets = compatible_sets(problem);
  std::vector<std::uint32_t> largest;
  for (const std::uint32_t set : sets) {
    const bool extended =
        std::any_of(sets.begin(), sets.end(), [&](std::uint32_t other) { return other != set && (other & set) == set; });
    if (!extended) largest.push_back(set);
  }
  return largest;
}

}  // namespace mpq::placing
