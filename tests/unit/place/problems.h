#pragma once

#include <algorithm>
#include <random>
#include <string>

#include "place/problem.h"

namespace mpq::placing {

struct Shape {
  int segments = 4, processors = 2;
  bool chain = true;         ///< segments read the one before; else also others
  double unsupported = 0;    ///< share of cells that do not run
  double conflicts = 0;      ///< share of processors that overlap with one before
  bool transfers = true, savings = true;
};

/// A random problem; every segment runs somewhere.
inline Problem random_problem(const Shape& shape, std::mt19937_64& random) {
  const auto uniform = [&](double low, double high) { return std::uniform_real_distribution<double>(low, high)(random); };
  Problem problem;
  problem.segments = shape.segments;
  for (int p = 0; p < shape.processors; ++p) {
    Processor& processor = problem.processors.emplace_back();
    processor.name = "p" + std::to_string(p);
    processor.resources = std::uint64_t{1} << p;
    if (p > 0 && uniform(0, 1) < shape.conflicts) processor.resources |= 1;
    processor.run_overhead = shape.savings ? uniform(0, 0.2) : 0;
    if (!shape.transfers) continue;
    processor.in_seconds = uniform(0, 0.3);
    processor.in_seconds_per_byte = uniform(0, 1) < 0.5 ? 0 : uniform(0, 0.01);
    processor.out_seconds = uniform(0, 1) < 0.5 ? 0 : uniform(0, 0.2);
    processor.out_seconds_per_byte = uniform(0, 1) < 0.5 ? 0 : uniform(0, 0.01);
  }
  for (int s = 0; s < shape.segments; ++s) {
    const double size = uniform(0.2, 3);
    for (int p = 0; p < shape.processors; ++p) {
      const double overhead = problem.processors[static_cast<std::size_t>(p)].run_overhead;
      const double time = overhead + size * uniform(0.3, 2);
      problem.seconds.push_back(uniform(0, 1) < shape.unsupported ? kNever : time);
      problem.savings.push_back(shape.savings ? uniform(0, 0.3) : 0);
    }
    // Support somewhere, but not always on the same processor.
    const int home = static_cast<int>(random() % static_cast<unsigned>(shape.processors));
    double& time = problem.seconds[problem.cell(s, home)];
    if (time == kNever) time = size;
  }
  for (int s = 0; s < shape.segments; ++s) {
    Handover& value = problem.handovers.emplace_back();
    value.bytes = static_cast<std::int64_t>(uniform(1, 60));
    value.producer = s;
    for (int reader = s + 1; reader < shape.segments; ++reader) {
      const bool reads = shape.chain ? reader == s + 1 : uniform(0, 1) < 0.35;
      if (reads) value.consumers.push_back(reader);
    }
  }
  return problem;
}

}  // namespace mpq::placing
