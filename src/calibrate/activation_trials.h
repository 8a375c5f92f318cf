#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mpq/model.h"
#include "mpq/observer.h"
#include "mpq/output_role.h"
#include "mpq/samples.h"

#include "graph/cut.h"
#include "quantize/activation_range.h"

namespace mpq::calibrate {

/// How the damage of a rounded activation is measured: as that of a layer's weights.
struct TrialOptions {
  std::string metric = "auto";           ///< as AnalyzeOptions::metric
  std::string outputs_glob;              ///< outputs to measure on; empty: all
  std::vector<OutputRole> output_roles;  ///< as AnalyzeOptions::output_roles
  int threads = 0;
};

/// What an activation is rounded to in a trial: a grid, or, where empty, 8 bits over the range of each sample's own
/// numbers (as DynamicQuantizeLinear makes it).
using TriedGrid = std::optional<quant::ActivationGrid>;

/// Damage at the network's outputs when one activation is rounded to a grid and everything else is left as it is: the
/// activation's error as one more perturbation. Only the part of the network behind it is run again.
/// `form` is the model's run form. Returns, per activation of `grids`, the mean over the samples for each of its grids.
std::map<std::string, std::vector<double>> activation_damage(const graph::RunForm& form,
                                                             const std::map<std::string, std::vector<TriedGrid>>& grids,
                                                             const Model& model, const Samples& samples,
                                                             const TrialOptions& options, Observer& observer);

}  // namespace mpq::calibrate
