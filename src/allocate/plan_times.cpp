#include "allocate/plan_times.h"

#include <algorithm>
#include <cmath>

#include "mpq/error.h"

#include "allocate/budget_limit.h"

namespace mpq::knapsack {

double seconds(std::int64_t nanoseconds) { return 1e-9 * static_cast<double>(nanoseconds); }

PlanTimes::PlanTimes(const Sensitivity& scores, const std::vector<LayerChoices>& choices,
                     const AllocateOptions& options)
    : scores_(scores), choices_(choices), options_(options) {
  if (limited() && !scores.time.known()) {
    throw Error(ErrorCode::kInvalidInput, "The scores hold no times, so that nothing can be said of a latency.",
                options.time_budget->text, "Give a profile of the model.");
  }
}

std::int64_t PlanTimes::time_of(const Selection& selection) const {
  std::int64_t sum = scores_.time.base_nanoseconds;
  for (std::size_t i = 0; i < selection.size(); ++i) sum += scores_.layers[i].candidates[selection[i]].nanoseconds;
  return sum;
}

std::int64_t PlanTimes::limit() const {
  return static_cast<std::int64_t>(std::floor(1e9 * options_.time_budget->value * (1 + 1e-12)));
}

bool PlanTimes::allow(const Selection& selection) const { return !limited() || time_of(selection) <= limit(); }

const TimedSolver& PlanTimes::solver(bool by_file) {
  std::optional<TimedSolver>& solver = by_file ? file_solver_ : stored_solver_;
  if (solver) return *solver;
  std::vector<TimedClass> classes;
  for (std::size_t i = 0; i < choices_.size(); ++i) {
    TimedClass& items = classes.emplace_back();
    for (const std::size_t c : choices_[i].candidates) {
      const CandidateScore& score = scores_.layers[i].candidates[c];
      items.push_back({by_file ? score.file_bytes : score.stored_bytes, score.nanoseconds, score.damage, c});
    }
  }
  return solver.emplace(std::move(classes));
}

void PlanTimes::require(bool by_file, std::int64_t room, const Budget& size) {
  if (!limited()) return;
  const std::optional<std::int64_t> least = solver(by_file).least_time(room);
  if (!least) return;
  const std::int64_t fastest = scores_.time.base_nanoseconds + *least;
  if (fastest <= limit()) return;
  const std::int64_t slowest = std::max(fastest, scores_.time.float_nanoseconds);
  throw Error(ErrorCode::kInfeasible,
              "No plan within " + size.text + " takes at most " + options_.time_budget->text + " on " +
                  scores_.time.processor + " by the profile; feasible: " + time_budget_text(seconds(fastest)) + " to " +
                  time_budget_text(seconds(slowest)) + ".",
              options_.time_budget->text,
              "Raise the latency budget, allow a larger model, or profile a faster processor.");
}

void PlanTimes::refuse_uniform(const Budget& size) const {
  throw Error(ErrorCode::kInfeasible,
              "No plan of one width within " + size.text + " takes at most " + options_.time_budget->text + " on " +
                  scores_.time.processor + " by the profile.",
              options_.time_budget->text, "Leave --uniform out, or raise one of the budgets.");
}

std::optional<TimedSolution> PlanTimes::solve(bool by_file, std::int64_t room) {
  return solver(by_file).solve(room, limit() - scores_.time.base_nanoseconds);
}

std::optional<PlanTime> PlanTimes::facts(const Selection& selection, bool by_file, std::int64_t room) {
  if (!scores_.time.known()) return std::nullopt;
  PlanTime time;
  time.processor = scores_.time.processor;
  if (limited()) {
    time.budget = options_.time_budget->text;
    time.limit_seconds = options_.time_budget->value;
  }
  const std::int64_t own = time_of(selection);
  const std::optional<std::int64_t> least = solver(by_file).least_time(room);
  time.predicted_seconds = seconds(own);
  time.float_seconds = seconds(scores_.time.float_nanoseconds);
  time.fastest_seconds = seconds(least ? std::min(own, scores_.time.base_nanoseconds + *least) : own);
  time.noise = scores_.time.noise;
  return time;
}

}  // namespace mpq::knapsack
