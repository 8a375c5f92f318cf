#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "mpq/analyze.h"
#include "mpq/error.h"

#include "analyze/derived_candidates.h"
#include "analyze/scores.h"
#include "analyze/settle.h"

// The parts of one analysis, each of every n-th trial, become the analysis again.

namespace mpq {
namespace {

using Parts = std::vector<const Sensitivity*>;

/// The parts in order.
Parts in_order(const std::vector<Sensitivity>& given) {
  const auto refuse = [](const std::string& what, const std::string& cure) {
    throw Error(ErrorCode::kUsage, what, "", cure);
  };
  if (given.empty()) refuse("There is no part to join.", "Name the files that `mpq analyze --shard` wrote.");
  std::map<int, const Sensitivity*> by_part;
  for (const Sensitivity& part : given) {
    if (!part.shard)
      refuse("One of the records is a whole analysis, not a part.", "Give what `mpq analyze --shard K/N` wrote.");
    if (part.shard->parts != given.front().shard->parts) {
      refuse("Part " + to_string(*part.shard) + " and part " + to_string(*given.front().shard) +
                 " divide the analysis differently.",
             "All parts must be made with the same N of --shard K/N.");
    }
    if (!by_part.emplace(part.shard->part, &part).second)
      refuse("Part " + to_string(*part.shard) + " is given twice.", "Give each part once.");
  }
  Parts parts;
  for (Shard next{1, given.front().shard->parts}; next.part <= next.parts; ++next.part) {
    const auto found = by_part.find(next.part);
    if (found == by_part.end())
      refuse("Part " + to_string(next) + " is missing.", "Make it with `mpq analyze --shard " + to_string(next) + "`.");
    parts.push_back(found->second);
  }
  return parts;
}

void require_same_analysis(const Parts& parts) {
  const Sensitivity& first = *parts.front();
  for (const Sensitivity* part : parts) {
    const char* differs = part->model.sha256 != first.model.sha256                                   ? "models"
                          : part->data.sha256 != first.data.sha256                                   ? "samples"
                          : part->settings != first.settings                                         ? "settings"
                          : part->outputs != first.outputs || part->measured_as != first.measured_as ? "outputs"
                                                                                                     : nullptr;
    if (differs == nullptr) continue;
    throw Error(ErrorCode::kInvalidInput,
                "Part " + to_string(*first.shard) + " and part " + to_string(*part->shard) + " are of different " +
                    differs + ".",
                "", "Make all parts by the same command, --shard alone differing.");
  }
}

/// The layer of every part, or fewer where a part has left it alone.
std::vector<const LayerSensitivity*> found_in(const Parts& parts, const std::string& name) {
  std::vector<const LayerSensitivity*> found;
  for (const Sensitivity* part : parts) {
    const auto layer = std::find_if(part->layers.begin(), part->layers.end(),
                                    [&](const LayerSensitivity& l) { return l.layer.name == name; });
    if (layer != part->layers.end()) found.push_back(&*layer);
  }
  return found;
}

/// One trial of each part in turn: the order of one run.
std::vector<double> in_trial_order(const std::vector<const LayerSensitivity*>& parts, std::size_t candidate) {
  std::vector<double> damages;
  std::size_t longest = 0;
  for (const LayerSensitivity* part : parts)
    longest = std::max(longest, part->candidates[candidate].trial_damages.size());
  for (std::size_t k = 0; k < longest; ++k) {
    for (const LayerSensitivity* part : parts) {
      const std::vector<double>& own = part->candidates[candidate].trial_damages;
      if (k < own.size()) damages.push_back(own[k]);
    }
  }
  return damages;
}

void require_same_candidates(const std::vector<const LayerSensitivity*>& parts) {
  const auto same = [](const CandidateScore& a, const CandidateScore& b) {
    return to_string(a.candidate) == to_string(b.candidate);
  };
  for (const LayerSensitivity* part : parts) {
    const auto& a = part->candidates;
    const auto& b = parts.front()->candidates;
    if (std::equal(a.begin(), a.end(), b.begin(), b.end(), same)) continue;
    throw Error(ErrorCode::kInvalidInput, "The parts offer layer \"" + part->layer.name + "\" different forms.", "",
                "Make all parts by the same command, --shard alone differing.");
  }
}

/// A layer whose every trial was without effect has the price that a part put on it unmeasured, or none.
void keep_mean_prices(const std::vector<const LayerSensitivity*>& parts, LayerSensitivity& layer) {
  const auto mean = [&](const auto& value_of) {
    double sum = 0;
    for (const LayerSensitivity* part : parts) sum += value_of(*part);
    return sum / static_cast<double>(parts.size());
  };
  for (std::size_t c = 0; c < layer.candidates.size(); ++c) {
    CandidateScore& score = layer.candidates[c];
    score.damage = score.standard_error = mean([&](const LayerSensitivity& part) { return part.candidates[c].damage; });
  }
  layer.score = layer.standard_error = mean([](const LayerSensitivity& part) { return part.score; });
}

/// Fills `damages` with those of the layer in all parts.
LayerSensitivity joined(const std::vector<const LayerSensitivity*>& parts, const AnalyzeOptions& options,
                        perturb::DamageTable& damages) {
  require_same_candidates(parts);
  LayerSensitivity layer = *parts.front();
  for (std::size_t c = 0; c + 1 < layer.candidates.size(); ++c) {
    damages.push_back(in_trial_order(parts, c));
    layer.candidates[c].trial_damages.clear();
  }
  perturb::fill_scores(damages, options, layer);
  const auto without_effect = [](const std::vector<double>& row) {
    return std::all_of(row.begin(), row.end(), [](double damage) { return damage == 0; });
  };
  if (std::all_of(damages.begin(), damages.end(), without_effect)) keep_mean_prices(parts, layer);
  return layer;
}

/// The reason a part has left the layer alone for.
const Layer& skipped_in(const Parts& parts, const std::string& name) {
  for (const Sensitivity* part : parts) {
    for (const Layer& layer : part->skipped) {
      if (layer.name == name) return layer;
    }
  }
  throw Error(ErrorCode::kInvalidInput, "One of the parts does not know the layer \"" + name + "\".", "",
              "Make all parts by the same command, --shard alone differing.");
}

AnalyzeOptions options_of(const AnalyzeSettings& settings) {
  AnalyzeOptions options;
  options.aggregation = settings.aggregation;
  options.quantile = settings.quantile;
  options.seed = settings.seed;
  return options;
}

}  // namespace

Sensitivity merge_parts(const std::vector<Sensitivity>& given) {
  std::vector<Sensitivity> measured = given;
  std::map<std::string, std::vector<CandidateScore>> trellises;  // of every layer
  for (Sensitivity& part : measured) {
    for (LayerSensitivity& layer : part.layers) trellises[layer.layer.name] = take_trellises(layer);
  }
  const Parts parts = in_order(measured);
  require_same_analysis(parts);
  Sensitivity result = *parts.front();
  result.shard.reset();
  result.layers.clear();
  std::vector<std::vector<double>> ranked_by;
  for (const LayerSensitivity& layer : parts.front()->layers) {
    const auto found = found_in(parts, layer.layer.name);
    if (found.size() < parts.size()) {
      result.skipped.push_back(skipped_in(parts, layer.layer.name));
      result.size.base_bytes += layer.candidates.back().file_bytes;
      result.size.quantizable_parameters -= layer.layer.parameters;
      continue;
    }
    perturb::DamageTable damages;
    result.layers.push_back(joined(found, options_of(result.settings), damages));
    if (!damages.empty()) ranked_by.push_back(std::move(damages[perturb::reference_candidate(result.layers.back())]));
    put_trellises(trellises[layer.layer.name], result.layers.back());
  }
  const std::vector<std::span<const double>> rows(ranked_by.begin(), ranked_by.end());
  result.rank_stability = perturb::rank_stability(rows);
  result.settled = result.settings.trials == 0 && perturb::ranking_settled(rows);
  result.trial_runs = 0;
  for (const Sensitivity* part : parts) result.trial_runs += part->trial_runs;
  return result;
}

}  // namespace mpq
