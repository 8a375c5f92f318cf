#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mpq/plan.h"

namespace mpq {

/// `--layer 'GLOB=4bit'` (candidate set) or `--keep 'GLOB'` (candidate "float").
struct Override {
  std::string glob;
  Candidate candidate;
  std::string origin;  ///< the option as written, for messages
};

struct AllocateOptions {
  std::vector<Override>
      overrides;         ///< later ones win; a glob that matches no layer is Error{kUsage} with the nearest names
  bool uniform = false;  ///< one nominal width everywhere, one scale per channel
  /// No layer that the overrides leave open gets fewer bits than this (a layer that offers no more gets its widest).
  int min_bits = 2;
  std::string compute = "auto";
  /// Activations have ranges, from real calibration samples, so that they may become integers where `compute` allows:
  /// what times are priced by (price_times).
  bool activation_ranges = true;
  /// The network is to be divided among the processors of its profile as place() divides a synchronous task, and times
  /// are priced so (price_best_times); else it runs on one of them.
  bool divided = false;
  /// A budget of the latency beside that of the size: no plan takes longer by the times in the scores (price_times).
  std::optional<Budget> time_budget;
  void validate() const;
  /// The same without a budget of the latency.
  AllocateOptions without_time_budget() const;
};

/// One point of the exact Pareto frontier: least total damage for at most so many bytes.
struct FrontierPoint {
  std::int64_t stored_bytes = 0;
  std::int64_t file_bytes = 0;
  double bits_per_weight = 0;
  double damage = 0;
};

/// The limit a budget means for this model. Throws Error{kUsage} for a value that cannot be meant (0, negative, NaN).
BudgetLimit resolve(const Budget& budget, const Sensitivity& scores);

/// The plan of least predicted damage within the budget: exact multiple-choice knapsack (Nemhauser-Ullmann 1969), with
/// a time budget one with two limits (allocate/timed_knapsack.h).
/// Throws Error{kInfeasible} whose message holds the feasible range in the budget's own unit, and
/// Error{kInvalidInput} for a time budget without times.
Plan allocate(const Sensitivity& scores, const Budget& budget, const AllocateOptions& options = {});

/// Several budgets from one frontier.
std::vector<Plan> allocate(const Sensitivity& scores, const std::vector<Budget>& budgets,
                           const AllocateOptions& options);

/// Plans for one budget that deserve a joint measurement, the safest first, no two alike: the optimum of the summed
/// damages over plain grids and the optima in which no layer has fewer than 3, 4, ... bits, up to one width everywhere;
/// then the same over all storage forms. Damages of single layers do not add up where many layers are damaged badly,
/// and the narrowest widths are where that shows. Infeasible floors are left out; throws as allocate when the budget
/// itself is.
std::vector<Plan> contending_plans(const Sensitivity& scores, const Budget& budget,
                                   const AllocateOptions& options = {});

/// Every non-dominated point, by rising bytes.
std::vector<FrontierPoint> frontier(const Sensitivity& scores, const AllocateOptions& options = {});

/// Least damage by size and time: what a limit of each costs in the other.
struct TradeOffs {
  std::string processor;
  std::vector<Budget> sizes;    ///< rising, in bits
  std::vector<double> seconds;  ///< limits of the time, rising: from the fastest plan's to the float network's
  std::vector<std::vector<std::optional<double>>> damage;  ///< [size][time]; nothing where no plan meets both
};

/// About so many sizes, evenly spread over their logarithm up to 16 bits, and times, evenly spread. The scores must
/// hold times (price_times): throws Error{kInvalidInput} where they do not.
TradeOffs trade_offs(const Sensitivity& scores, std::size_t sizes, std::size_t times,
                     const AllocateOptions& options = {});

/// About `count` plans along the frontier, by rising bytes, evenly spread over the logarithm of the size up to 16 bits:
/// what a chart or a what-if needs. Each is exactly the plan of its own Plan::budget ("4.37bit"), so that a command can
/// make it.
std::vector<Plan> frontier_plans(const Sensitivity& scores, std::size_t count, const AllocateOptions& options = {});

}  // namespace mpq
