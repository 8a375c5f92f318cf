#pragma once

#include <mutex>
#include <vector>

#include "analyze/checkpoint.h"
#include "analyze/cost.h"
#include "analyze/scores.h"

namespace mpq::perturb {

/// Runs rounds of trials over layers.
class Rounds {
 public:
  Rounds(const Experiment& experiment, const Reference& reference, Checkpoint& checkpoint, Observer& observer,
         CostMeter& cost);

  /// Runs these trials for the tasks in `active` and adds their damages to `outcomes`.
  void run(TrialRange range, const std::vector<std::size_t>& active, std::vector<TaskOutcome>& outcomes);

 private:
  struct Item {
    std::size_t task;
    TrialRange range;
  };
  std::vector<Item> items_of(const CaptureGroup& group, TrialRange range) const;
  void run_pass(const CaptureGroup& group, TrialRange range, std::vector<TaskOutcome>& outcomes);
  ItemResult run_item(const Item& item, const Captured& captured);
  void announce(const Item& item);

  const Experiment& experiment_;
  const Reference& reference_;
  Checkpoint& checkpoint_;
  Observer& observer_;
  CostMeter& cost_;
  StoredWeights stored_;
  std::map<std::string, std::int64_t> value_bytes_;
  std::mutex mutex_;
  double trials_done_ = 0;  ///< guarded by mutex_
};

/// Rounds of trials of the tasks `among`, until the ranking is settled or the cap is reached.
void run_until_settled(const Experiment& experiment, Rounds& rounds, const std::vector<std::size_t>& among,
                       std::vector<TaskOutcome>& outcomes);

}  // namespace mpq::perturb
