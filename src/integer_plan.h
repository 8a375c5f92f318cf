#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mpq/model.h"
#include "mpq/observer.h"
#include "mpq/plan.h"
#include "mpq/samples.h"

#include "calibrate/activation_ranges.h"
#include "calibrate/activation_trials.h"
#include "encode/static_form.h"
#include "graph/cut.h"

namespace mpq {

/// Decides which layers of a plan run on integer activations, and on which grids: the activations are measured once,
/// for all plans of a model.
class IntegerPlanner {
 public:
  /// How the grid of an activation is chosen.
  enum class Grids {
    kTried,  ///< of all ways to find its range the one of least damage
    kPlain   ///< over the plain range, untried: where only the speed counts, which is that of any grid
  };
  /// Refers to the model and the samples.
  IntegerPlanner(const Model& model, const Samples& calibration, calibrate::TrialOptions options,
                 Grids grids = Grids::kTried)
      : model_(model), calibration_(calibration), options_(std::move(options)), grids_(grids) {}

  const calibrate::TrialOptions& options() const { return options_; }
  bool tries_grids() const { return grids_ == Grids::kTried; }

  /// The form that saves most time while the damages of its rounded activations, each measured by itself, add up to at
  /// most `most_damage` (infinite: no limit). `barred`: layers that must not. Null where no layer can or none pays.
  std::shared_ptr<const encode::StaticForm> form(const Plan& plan, const std::set<std::size_t>& barred,
                                                 double most_damage, Observer& observer);

  /// What products of many rows read.
  struct DynamicInput {
    std::set<std::size_t> layers;       ///< that read it
    std::int64_t channels = 0;          ///< its last extent
    std::optional<double> damage = {};  ///< of rounding it over the range of each sample's own numbers, once measured
  };
  /// By the value's name.
  const std::map<std::string, DynamicInput>& dynamic_inputs();
  /// The same with their damage.
  const std::map<std::string, DynamicInput>& measured_inputs(Observer& observer);

  /// Products of many rows, which pay to be fed with integers made as they come: DynamicQuantizeMatMul takes a third of
  /// a float MatMul's time, where MatMulNBits is fast for single rows only. Told by the shapes and numbers of one
  /// sample. Those that cost most damage for the weights they have are left out until the rest costs at most
  /// `most_damage`.
  std::set<std::size_t> dynamic_products(double most_damage, Observer& observer);

  /// What the rounded activations of a form cost, each by itself, added up.
  double damage_of(const encode::StaticForm& form) const;

 private:
  struct Choice {
    quant::ActivationGrid grid;
    double damage = 0;
  };

  /// What every activation is tried on.
  Samples trial_samples() const;
  /// Per activation: what rounding it to each grid alone costs.
  std::map<std::string, std::vector<double>> damages_of(
      const std::map<std::string, std::vector<calibrate::TriedGrid>>& grids, Observer& observer) const;
  std::vector<char> wanted_layers(const Plan& plan, const std::set<std::size_t>& barred) const;
  void measure_ranges(const graph::IntegerUnits& units, Observer& observer);
  void measure_damage(const std::set<std::string>& values, Observer& observer);
  graph::RegionFacts facts_of(const graph::IntegerUnits& units) const;
  graph::IntegerRegion affordable(const graph::IntegerUnits& units, graph::RegionFacts facts, double most_damage,
                                  Observer& observer);
  double damage_of(const graph::IntegerRegion& region) const;

  const Model& model_;
  const Samples& calibration_;
  calibrate::TrialOptions options_;
  Grids grids_;
  std::optional<graph::RunForm> form_;
  std::optional<std::map<std::string, DynamicInput>> dynamic_;
  std::map<std::string, calibrate::ActivationStatistics> statistics_;
  std::map<std::string, Choice> choices_;
};

}  // namespace mpq
