#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mpq/allocate.h"
#include "mpq/plan.h"
#include "mpq/sensitivity.h"

namespace mpq::knapsack {

/// What one layer may become once the overrides have spoken.
struct LayerChoices {
  std::vector<std::size_t> candidates;  ///< indices into LayerSensitivity::candidates
  std::string reason;                   ///< why there is no choice; empty where there is one
  bool open() const { return reason.empty(); }
};

/// Applies the overrides, later ones over earlier ones. Throws Error{kUsage} for a glob that matches no layer and for
/// a candidate a matched layer does not offer.
std::vector<LayerChoices> choices_of(const Sensitivity& scores, const std::vector<Override>& overrides);

/// Takes candidates of fewer bits away from the layers that are open; a layer that offers no more keeps its widest.
void drop_narrower(const Sensitivity& scores, int min_bits, std::vector<LayerChoices>& choices);

/// A candidate per layer, by index.
using Selection = std::vector<std::size_t>;

/// One width for every layer (per-channel grid, half or float); a layer without that width takes its next wider one.
struct UniformSelection {
  int bits = 0;
  Selection selection;
  std::vector<std::string> reasons;  ///< per layer, what it got and why
};
/// Every uniform selection, widest first.
std::vector<UniformSelection> uniform_selections(const Sensitivity& scores, const std::vector<LayerChoices>& choices);

/// Throws Error{kInvalidInput} naming the layer when the scores cannot be allocated by.
void check_scores(const Sensitivity& scores);

/// Index of the "float" candidate; nothing when the layer offers none.
std::optional<std::size_t> float_candidate(const LayerSensitivity& layer);

}  // namespace mpq::knapsack
