#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analyze/experiment.h"
#include "analyze/reference.h"

namespace mpq::perturb {

/// Tells before each part of an analysis what it costs at most, in forward passes of the network (processor time).
/// Which layers the adjoint leaves to reruns is known only when it has been built, so the two parts are told apart.
class CostBound {
 public:
  /// Refers to all of its arguments.
  CostBound(const Experiment& experiment, const Reference& reference, Observer& observer)
      : experiment_(experiment), reference_(reference), observer_(observer) {}

  /// Per shape of the samples a few sessions are made, and per sample one forward pass and the reverse passes.
  void announce_adjoint();
  /// The same within a memory limit, where no recurrent operator is written out.
  void announce_pieces();
  void announce_pilots(const std::vector<std::size_t>& tasks, std::size_t trials);
  /// Every trial a full pass, and every layer a session of its own per round of trials.
  void announce_reruns(const std::vector<std::size_t>& tasks);
  /// Announced so far.
  double equivalents() const { return equivalents_; }

 private:
  void announce(double equivalents, const std::string& what);
  void announce_reverse(double loads);
  double load_equivalents() const { return reference_.load_seconds / reference_.forward_seconds; }
  double rerun_equivalents(const std::vector<std::size_t>& tasks, std::size_t trials, std::size_t rounds) const;

  const Experiment& experiment_;
  const Reference& reference_;
  Observer& observer_;
  double equivalents_ = 0;
};

}  // namespace mpq::perturb
