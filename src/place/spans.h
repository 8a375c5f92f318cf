#pragma once

#include <vector>

#include "place/problem.h"

namespace mpq::placing {

/// What a subnet of the segments [first, end) costs, for every span: O(1) after O(segments^2) of preparation.
class Spans {
 public:
  explicit Spans(const Problem& problem);

  /// Seconds of a run of the session; kNever when a segment does not run there or the memory does not suffice. Never
  /// falls when the span grows at its end.
  double compute(int first, int end, int processor) const;
  /// With the tensors that come in and go out.
  double seconds(int first, int end, int processor) const;

 private:
  std::size_t cell(int first, int end) const {
    return static_cast<std::size_t>(first) * static_cast<std::size_t>(problem_.segments + 1) +
           static_cast<std::size_t>(end);
  }
  std::size_t slot(int segment, int processor) const {
    return static_cast<std::size_t>(segment * problem_.processor_count() + processor);
  }
  void add_up_segments();
  void add_up_bytes();

  const Problem& problem_;
  std::vector<double> seconds_, memory_;  // before segment i, per processor, everything in one session
  std::vector<int> unsupported_;
  std::vector<double> in_bytes_, out_bytes_;  // per span
};

}  // namespace mpq::placing
