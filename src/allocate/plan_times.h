#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mpq/allocate.h"

#include "allocate/choices.h"
#include "allocate/timed_knapsack.h"

namespace mpq::knapsack {

double seconds(std::int64_t nanoseconds);

/// The second limit of an allocation: what plans take by the times in the scores. Without a time budget everything is
/// allowed, and without times in the scores nothing is known.
class PlanTimes {
 public:
  /// Refers to its arguments. Throws Error{kInvalidInput} for a time budget without times.
  PlanTimes(const Sensitivity& scores, const std::vector<LayerChoices>& choices, const AllocateOptions& options);

  bool limited() const { return options_.time_budget.has_value(); }
  bool allow(const Selection& selection) const;

  /// Throws Error{kInfeasible} with the feasible range when no selection of at most `room` bytes, of the file or
  /// stored, is fast enough; `size` is that budget.
  void require(bool by_file, std::int64_t room, const Budget& size);
  /// Where one width everywhere meets the budget of the size, but never that of the time: throws Error{kInfeasible}.
  [[noreturn]] void refuse_uniform(const Budget& size) const;
  /// The selection of least damage within both limits.
  std::optional<TimedSolution> solve(bool by_file, std::int64_t room);

  /// What the plan's record says of the time; nothing where no times are known.
  std::optional<PlanTime> facts(const Selection& selection, bool by_file, std::int64_t room);

 private:
  std::int64_t time_of(const Selection& selection) const;
  std::int64_t limit() const;
  const TimedSolver& solver(bool by_file);

  const Sensitivity& scores_;
  const std::vector<LayerChoices>& choices_;
  const AllocateOptions& options_;
  std::optional<TimedSolver> stored_solver_, file_solver_;
};

}  // namespace mpq::knapsack
