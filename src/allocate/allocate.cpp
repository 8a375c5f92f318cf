#include "mpq/allocate.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "mpq/error.h"

#include "allocate/budget_limit.h"
#include "allocate/choices.h"
#include "allocate/knapsack.h"
#include "allocate/plan_times.h"
#include "allocate/shared_functions.h"
#include "support/text.h"

namespace mpq {

namespace {

using knapsack::LayerChoices;
using knapsack::Selection;

/// Bytes of a plan in both measures.
struct Sizes {
  std::int64_t stored = 0;
  std::int64_t file = 0;
};

/// Everything about a model's scores and overrides that does not depend on the budget.
class Allocator {
 public:
  Allocator(const Sensitivity& scores, const AllocateOptions& options) : scores_(scores), options_(options) {
    options.validate();
    knapsack::check_scores(scores);
    choices_ = knapsack::choices_of(scores, options.overrides);
    knapsack::drop_narrower(scores, options.min_bits, choices_);
    times_.emplace(scores, choices_, options);
    all_float_ = find_all_float();
    uniforms_ = knapsack::uniform_selections(scores, choices_);
  }

  Plan plan(const Budget& budget) {
    const BudgetLimit limit = resolve(budget, scores_);
    if (all_float_ && times_->allow(*all_float_) && counted(sizes_of(*all_float_), limit) <= limit.limit_bytes) {
      return finish(budget, limit, *all_float_, reasons("the budget holds the whole float model"));
    }
    // Not everything stays float, so the file also holds what is written once for any quantized layer.
    const knapsack::Solver& solver = solver_for(limit.counts_file);
    const std::int64_t room = limit.limit_bytes - (limit.counts_file ? fixed_file_bytes() : 0);
    if (!solver.relaxation(room)) refuse(budget, limit);
    times_->require(limit.counts_file, room, budget);
    if (options_.uniform) return uniform_plan(budget, limit, *solver.relaxation(room));
    const std::optional<Solved> solved =
        limit.counts_file ? solve_file(solver, limit) : solve(solver, limit.counts_file, room);
    if (!solved) refuse(budget, limit);
    const bool any_width = options_.min_bits <= AllocateOptions{}.min_bits;
    const std::string floor = any_width ? "" : " from " + std::to_string(options_.min_bits) + " bits up";
    Plan result = finish(budget, limit, solved->selection, reasons("allocated" + floor));
    set_bound(result, times_->limited() ? solved->bound : *solver.relaxation(room));
    return result;
  }

  std::vector<FrontierPoint> frontier() {
    if (options_.uniform) return uniform_frontier();
    const knapsack::Solver& solver = solver_for(false);
    auto points = knapsack::whole_frontier(solver.classes());
    if (!points) points = knapsack::thinned_frontier(solver);
    std::vector<FrontierPoint> result;
    for (const knapsack::Point& point : *points) {
      // Which functions a point needs is not known here: its file is at most this large.
      result.push_back(
          frontier_point({point.cost, fixed_file_bytes() + all_functions() + point.companion}, point.damage));
    }
    // The one point without quantized layers carries no metadata of ours.
    if (all_float_ && result.back().stored_bytes == sizes_of(*all_float_).stored) {
      result.back().file_bytes = sizes_of(*all_float_).file;
    }
    return result;
  }

 private:
  const CandidateScore& score(std::size_t layer, std::size_t candidate) const {
    return scores_.layers[layer].candidates[candidate];
  }
  std::int64_t fixed_file_bytes() const { return scores_.size.base_bytes + scores_.size.fixed_bytes; }

  std::optional<Selection> find_all_float() const {
    Selection selection;
    for (std::size_t i = 0; i < choices_.size(); ++i) {
      const auto candidate = knapsack::float_candidate(scores_.layers[i]);
      if (!candidate) return std::nullopt;
      const auto& allowed = choices_[i].candidates;
      if (std::find(allowed.begin(), allowed.end(), *candidate) == allowed.end()) return std::nullopt;
      selection.push_back(*candidate);
    }
    return selection;
  }

  Sizes sizes_of(const Selection& selection) const {
    Sizes sizes{0, scores_.size.base_bytes};
    bool quantized = false;
    for (std::size_t i = 0; i < selection.size(); ++i) {
      const CandidateScore& chosen = score(i, selection[i]);
      sizes.stored += chosen.stored_bytes;
      sizes.file += chosen.file_bytes;
      quantized = quantized || chosen.candidate.form != "float";
    }
    if (quantized) sizes.file += scores_.size.fixed_bytes + function_bytes(selection);
    return sizes;
  }

  std::int64_t all_functions() const {
    std::int64_t sum = 0;
    for (const FunctionSize& function : scores_.size.functions) sum += function.bytes;
    return sum;
  }
  /// Of the functions that a selection needs, each once.
  std::int64_t function_bytes(const Selection& selection) const {
    std::set<std::string> used;
    for (std::size_t i = 0; i < selection.size(); ++i) used.insert(score(i, selection[i]).function);
    std::int64_t sum = 0;
    for (const FunctionSize& function : scores_.size.functions) {
      if (used.count(function.name) > 0) sum += function.bytes;
    }
    return sum;
  }

  struct Solved {
    Selection selection;
    double bound = 0;  ///< of the damage, where time is limited
  };

  std::optional<Solved> solve(const knapsack::Solver& solver, bool by_file, std::int64_t room) {
    if (times_->limited()) {
      auto timed = times_->solve(by_file, room);
      return timed ? std::optional(Solved{std::move(timed->choice), timed->bound}) : std::nullopt;
    }
    auto solved = solver.solve(room);
    return solved ? std::optional(Solved{std::move(solved->choice), 0}) : std::nullopt;
  }

  double damage_of(const Selection& selection) const {
    double sum = 0;
    for (std::size_t i = 0; i < selection.size(); ++i) sum += score(i, selection[i]).damage;
    return sum;
  }

  knapsack::SharedFunctions functions() const {
    return {[this](std::size_t layer, std::size_t candidate) -> const std::string& {
              return score(layer, candidate).function;
            },
            [this](const std::string& name) {
              const auto& all = scores_.size.functions;
              const auto found = std::ranges::find(all, name, &FunctionSize::name);
              return found != all.end() ? found->bytes : 0;
            }};
  }

  /// A function is paid for once, by whichever layer needs it first, which no knapsack of separate layers can say. What
  /// the functions of one solution leave is the room for the next; then functions are added and left out.
  std::optional<Solved> solve_file(const knapsack::Solver& solver, const BudgetLimit& limit) {
    constexpr int kRounds = 8;
    std::optional<Solved> best;
    double bound = 0;  // of the first round, which has more room than any plan
    const auto consider = [&](const Selection& selection) {
      if (sizes_of(selection).file > limit.limit_bytes) return;
      if (!best || damage_of(selection) < damage_of(best->selection)) best = Solved{selection, bound};
    };
    std::int64_t room = limit.limit_bytes - fixed_file_bytes();
    for (int round = 0; round < kRounds; ++round) {
      const std::optional<Solved> solved = solve(solver, true, room);
      if (!solved) break;
      if (round == 0) bound = solved->bound;
      consider(solved->selection);
      const std::int64_t next = limit.limit_bytes - fixed_file_bytes() - function_bytes(solved->selection);
      if (next == room) break;
      room = next;
    }
    for (const auto& uniform : uniforms_) {
      if (times_->allow(uniform.selection)) consider(uniform.selection);
    }
    if (times_->limited()) return best;
    const auto found = knapsack::choose_functions(classes_of(true), functions(), limit.limit_bytes - fixed_file_bytes(),
                                                  best ? std::optional(best->selection) : std::nullopt);
    if (found) consider(found->choice);
    return best;
  }
  static std::int64_t counted(const Sizes& sizes, const BudgetLimit& limit) {
    return limit.counts_file ? sizes.file : sizes.stored;
  }

  const knapsack::Solver& solver_for(bool counts_file) {
    std::optional<knapsack::Solver>& solver = counts_file ? file_solver_ : stored_solver_;
    return solver ? *solver : solver.emplace(classes_of(counts_file));
  }

  std::vector<knapsack::Class> classes_of(bool counts_file) const {
    std::vector<knapsack::Class> classes;
    for (std::size_t i = 0; i < choices_.size(); ++i) {
      knapsack::Class& items = classes.emplace_back();
      for (const std::size_t c : choices_[i].candidates) {
        const CandidateScore& s = score(i, c);
        items.push_back(
            {counts_file ? s.file_bytes : s.stored_bytes, s.damage, counts_file ? s.stored_bytes : s.file_bytes, c});
      }
    }
    return classes;
  }

  std::vector<std::string> reasons(const std::string& where_open) const {
    std::vector<std::string> result;
    for (const LayerChoices& choice : choices_) result.push_back(choice.open() ? where_open : choice.reason);
    return result;
  }

  Plan finish(const Budget& budget, const BudgetLimit& limit, const Selection& selection,
              const std::vector<std::string>& why) {
    Plan plan;
    plan.model = scores_.model;
    plan.budget = budget.text;
    plan.counts_file = limit.counts_file;
    plan.limit_bytes = limit.limit_bytes;
    plan.uniform = options_.uniform;
    plan.scale_fit = scores_.settings.scale_fit;
    plan.portable = scores_.settings.portable;
    plan.compute = options_.compute;
    double variance = 0;
    for (std::size_t i = 0; i < selection.size(); ++i) {
      const CandidateScore& s = score(i, selection[i]);
      const Layer& layer = scores_.layers[i].layer;
      plan.entries.push_back({layer.name, s.candidate, layer.parameters, s.stored_bytes, s.file_bytes, s.damage,
                              s.standard_error, why[i], knapsack::seconds(s.nanoseconds)});
      plan.parameters += layer.parameters;
      plan.predicted_damage += s.damage;
      variance += s.standard_error * s.standard_error;
    }
    const Sizes sizes = sizes_of(selection);
    plan.stored_bytes = sizes.stored;
    plan.file_bytes = sizes.file;
    plan.bits_per_weight = bits_per_weight(sizes.stored);
    plan.standard_error = std::sqrt(variance);
    plan.lower_bound = plan.predicted_damage;
    const std::int64_t room = limit.limit_bytes - (limit.counts_file ? fixed_file_bytes() : 0);
    plan.time = times_->facts(selection, limit.counts_file, room);
    return plan;
  }

  static void set_bound(Plan& plan, double relaxation) {
    plan.lower_bound = std::min(relaxation, plan.predicted_damage);
    plan.optimality_gap =
        plan.predicted_damage > 0 ? (plan.predicted_damage - plan.lower_bound) / plan.predicted_damage : 0;
  }

  Plan uniform_plan(const Budget& budget, const BudgetLimit& limit, double relaxation) {
    bool any_fits = false;
    for (const knapsack::UniformSelection& uniform : uniforms_) {
      if (counted(sizes_of(uniform.selection), limit) > limit.limit_bytes) continue;
      any_fits = true;
      if (!times_->allow(uniform.selection)) continue;
      Plan result = finish(budget, limit, uniform.selection, uniform.reasons);
      set_bound(result, relaxation);
      return result;
    }
    if (any_fits) times_->refuse_uniform(budget);
    refuse(budget, limit);
  }

  double bits_per_weight(std::int64_t stored) const {
    const std::int64_t parameters = knapsack::parameters_of(scores_);
    return parameters > 0 ? 8 * static_cast<double>(stored) / static_cast<double>(parameters) : 0;
  }
  FrontierPoint frontier_point(const Sizes& sizes, double damage) const {
    return {sizes.stored, sizes.file, bits_per_weight(sizes.stored), damage};
  }

  std::vector<FrontierPoint> uniform_frontier() const {
    std::vector<FrontierPoint> points;
    for (const knapsack::UniformSelection& uniform : uniforms_) {
      points.push_back(frontier_point(sizes_of(uniform.selection), damage_of(uniform.selection)));
    }
    std::sort(points.begin(), points.end(), [](const FrontierPoint& a, const FrontierPoint& b) {
      return a.stored_bytes != b.stored_bytes ? a.stored_bytes < b.stored_bytes : a.damage < b.damage;
    });
    std::vector<FrontierPoint> result;
    for (const FrontierPoint& point : points) {
      if (result.empty() || point.damage < result.back().damage) result.push_back(point);
    }
    return result;
  }

  /// The smallest selection in a measure.
  Selection smallest(bool by_file) const {
    Selection selection;
    for (std::size_t i = 0; i < choices_.size(); ++i) {
      const auto size = [&](std::size_t c) { return by_file ? score(i, c).file_bytes : score(i, c).stored_bytes; };
      const auto& allowed = choices_[i].candidates;
      selection.push_back(
          *std::min_element(allowed.begin(), allowed.end(), [&](auto a, auto b) { return size(a) < size(b); }));
    }
    return selection;
  }

  knapsack::FeasibleRange feasible_range() const {
    std::vector<Sizes> ends;
    for (const auto& uniform : uniforms_) ends.push_back(sizes_of(uniform.selection));
    if (!options_.uniform) {
      ends.push_back(sizes_of(smallest(false)));
      ends.push_back(sizes_of(smallest(true)));
    }
    if (all_float_) ends.push_back(sizes_of(*all_float_));
    knapsack::FeasibleRange range{ends[0].stored, ends[0].stored, ends[0].file, ends[0].file};
    for (const Sizes& end : ends) {
      range.least_stored = std::min(range.least_stored, end.stored);
      range.least_file = std::min(range.least_file, end.file);
    }
    const Sizes largest = all_float_ ? sizes_of(*all_float_) : sizes_of(largest_selection());
    range.most_stored = largest.stored;
    range.most_file = largest.file;
    return range;
  }

  Selection largest_selection() const {
    Selection selection;
    for (std::size_t i = 0; i < choices_.size(); ++i) {
      const auto& allowed = choices_[i].candidates;
      selection.push_back(*std::max_element(allowed.begin(), allowed.end(), [&](auto a, auto b) {
        return score(i, a).stored_bytes < score(i, b).stored_bytes;
      }));
    }
    return selection;
  }

  [[noreturn]] void refuse(const Budget& budget, const BudgetLimit& limit) const {
    const knapsack::FeasibleRange range = feasible_range();
    const std::int64_t needed = limit.counts_file ? range.least_file : range.least_stored;
    throw Error(ErrorCode::kInfeasible,
                "No plan meets the budget " + budget.text + ": it allows " + format_count(limit.limit_bytes) +
                    " bytes for " + (limit.counts_file ? "the written file" : "the quantizable weights") +
                    ", but the smallest " + (options_.uniform ? "uniform " : "") + "plan takes " +
                    format_count(needed) + "; feasible: " + knapsack::describe_range(range, budget.unit, scores_) + ".",
                budget.text,
                options_.overrides.empty()
                    ? "Raise the budget, or analyze with narrower widths in --bits."
                    : "Raise the budget, or ask for less by --keep and --layer, which bind some layers.");
  }

  const Sensitivity& scores_;
  const AllocateOptions& options_;
  std::vector<LayerChoices> choices_;
  std::optional<Selection> all_float_;  ///< where the overrides leave every layer float as a choice
  std::vector<knapsack::UniformSelection> uniforms_;
  std::optional<knapsack::Solver> stored_solver_, file_solver_;
  std::optional<knapsack::PlanTimes> times_;
};

}  // namespace

AllocateOptions AllocateOptions::without_time_budget() const {
  AllocateOptions result = *this;
  result.time_budget.reset();
  return result;
}

void AllocateOptions::validate() const {
  if (time_budget && !time_budget->limits_time()) {
    throw Error(ErrorCode::kUsage, "The time budget " + time_budget->text + " is no time.", "--budget",
                "Write it like 8ms.");
  }
  if (compute != "auto" && compute != "float" && compute != "int8") {
    throw Error(ErrorCode::kUsage, "'" + compute + "' is no way to compute.", "--compute", "Give auto, float or int8.");
  }
  if (min_bits < 2 || min_bits > 32) {
    throw Error(ErrorCode::kUsage, "No layer can have at least " + std::to_string(min_bits) + " bits.", "--narrowest",
                "Widths are 2 to 8, 16 and 32.");
  }
  for (const Override& wish : overrides) {
    if (wish.glob.empty()) {
      throw Error(ErrorCode::kUsage, "An override names no layer.", wish.origin, "Write it as --layer 'GLOB=4bit'.");
    }
  }
}

Plan allocate(const Sensitivity& scores, const Budget& budget, const AllocateOptions& options) {
  return Allocator(scores, options).plan(budget);
}

std::vector<Plan> allocate(const Sensitivity& scores, const std::vector<Budget>& budgets,
                           const AllocateOptions& options) {
  Allocator allocator(scores, options);
  std::vector<Plan> plans;
  for (const Budget& budget : budgets) plans.push_back(allocator.plan(budget));
  return plans;
}

std::vector<FrontierPoint> frontier(const Sensitivity& scores, const AllocateOptions& options) {
  return Allocator(scores, options).frontier();
}

}  // namespace mpq
