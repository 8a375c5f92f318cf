#include "allocate/choices.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "mpq/error.h"

#include "support/text.h"

namespace mpq::knapsack {

namespace {

std::string as_written(const Override& wish) {
  return wish.origin.empty() ? "'" + wish.glob + "=" + to_string(wish.candidate) + "'" : wish.origin;
}

std::vector<std::string> names_of(const Sensitivity& scores) {
  std::vector<std::string> names;
  for (const LayerSensitivity& layer : scores.layers) names.push_back(layer.layer.name);
  for (const Layer& layer : scores.skipped) names.push_back(layer.name);
  return names;
}

[[noreturn]] void refuse_unmatched(const Override& wish, const Sensitivity& scores) {
  const std::vector<std::string> near = nearest(wish.glob, names_of(scores));
  throw Error(ErrorCode::kUsage, "The pattern '" + wish.glob + "' matches no layer.", as_written(wish),
              near.empty() ? "`mpq inspect` lists the layers." : "Did you mean " + join(near, ", ") + "?");
}

[[noreturn]] void refuse_candidate(const Override& wish, const LayerSensitivity& layer) {
  std::vector<std::string> offered;
  for (const CandidateScore& score : layer.candidates) offered.push_back(to_string(score.candidate));
  throw Error(ErrorCode::kUsage,
              "The layer '" + layer.layer.name + "' cannot become " + to_string(wish.candidate) +
                  ": the analysis offers " + join(offered, ", ") + ".",
              as_written(wish), "Choose one of these, or analyze again with the width in --bits.");
}

/// A pattern may speak of layers that are left alone anyway, but only to leave them alone.
bool matches_skipped(const Override& wish, const Sensitivity& scores) {
  for (const Layer& layer : scores.skipped) {
    if (!glob_match(wish.glob, layer.name)) continue;
    if (wish.candidate.form == "float") return true;
    throw Error(ErrorCode::kUsage,
                "The pattern '" + wish.glob + "' matches only layers that cannot be quantized: '" + layer.name +
                    "' is left as it is. " + layer.skip_reason,
                as_written(wish));
  }
  return false;
}

std::size_t find_candidate(const Override& wish, const LayerSensitivity& layer) {
  const auto found = std::find_if(layer.candidates.begin(), layer.candidates.end(),
                                  [&, name = to_string(wish.candidate)](const CandidateScore& score) {
                                    return to_string(score.candidate) == name;
                                  });
  if (found == layer.candidates.end()) refuse_candidate(wish, layer);
  return static_cast<std::size_t>(found - layer.candidates.begin());
}

/// Plain widths of a layer: one grid scale per channel, half, float.
bool is_plain(const Candidate& candidate) {
  return !candidate.is_trellis() && candidate.block == 0 && !candidate.has_row_widths();
}

/// The layer's narrowest plain candidate of at least `bits`; else its widest.
std::size_t plain_candidate(const LayerSensitivity& layer, const LayerChoices& choices, int bits) {
  std::optional<std::size_t> best;
  const auto better = [&](std::size_t a, std::size_t b) {
    const int bits_a = layer.candidates[a].candidate.bits;
    const int bits_b = layer.candidates[b].candidate.bits;
    if ((bits_a >= bits) != (bits_b >= bits)) return bits_a >= bits;
    return bits_a >= bits ? bits_a < bits_b : bits_a > bits_b;
  };
  for (const std::size_t c : choices.candidates) {
    if (!is_plain(layer.candidates[c].candidate)) continue;
    if (!best || better(c, *best)) best = c;
  }
  return best.value_or(choices.candidates.back());
}

}  // namespace

std::vector<LayerChoices> choices_of(const Sensitivity& scores, const std::vector<Override>& overrides) {
  std::vector<LayerChoices> choices(scores.layers.size());
  for (std::size_t i = 0; i < choices.size(); ++i) {
    choices[i].candidates.resize(scores.layers[i].candidates.size());
    std::iota(choices[i].candidates.begin(), choices[i].candidates.end(), std::size_t{0});
  }
  std::vector<const Override*> winner(scores.layers.size(), nullptr);
  for (const Override& wish : overrides) {
    bool matched = false;
    for (std::size_t i = 0; i < choices.size(); ++i) {
      if (!glob_match(wish.glob, scores.layers[i].layer.name)) continue;
      matched = true;
      winner[i] = &wish;
    }
    if (!matched && !matches_skipped(wish, scores)) refuse_unmatched(wish, scores);
  }
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (winner[i] == nullptr) continue;
    choices[i].candidates = {find_candidate(*winner[i], scores.layers[i])};
    const bool kept = winner[i]->candidate.form == "float";
    choices[i].reason = (kept ? "kept by " : "override ") + as_written(*winner[i]);
  }
  return choices;
}

void drop_narrower(const Sensitivity& scores, int min_bits, std::vector<LayerChoices>& choices) {
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (!choices[i].open()) continue;
    const auto bits = [&](std::size_t c) { return scores.layers[i].candidates[c].candidate.narrowest(); };
    auto& list = choices[i].candidates;
    const std::size_t widest =
        *std::max_element(list.begin(), list.end(), [&](auto a, auto b) { return bits(a) < bits(b); });
    std::erase_if(list, [&](std::size_t c) { return bits(c) < min_bits && c != widest; });
  }
}

std::vector<UniformSelection> uniform_selections(const Sensitivity& scores, const std::vector<LayerChoices>& choices) {
  std::vector<int> widths;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (!choices[i].open()) continue;
    for (const CandidateScore& score : scores.layers[i].candidates) {
      if (is_plain(score.candidate)) widths.push_back(score.candidate.bits);
    }
  }
  if (widths.empty()) widths.push_back(32);  // nothing left to decide
  std::sort(widths.begin(), widths.end(), std::greater<>());
  widths.erase(std::unique(widths.begin(), widths.end()), widths.end());
  std::vector<UniformSelection> result;
  for (const int bits : widths) {
    UniformSelection uniform;
    uniform.bits = bits;
    for (std::size_t i = 0; i < choices.size(); ++i) {
      const LayerSensitivity& layer = scores.layers[i];
      const std::size_t c =
          choices[i].open() ? plain_candidate(layer, choices[i], bits) : choices[i].candidates.front();
      const Candidate& candidate = layer.candidates[c].candidate;
      std::string reason = "uniform " + std::to_string(bits) + "bit";
      if (candidate.bits != bits) reason += "; this layer offers " + to_string(candidate) + " next";
      uniform.selection.push_back(c);
      uniform.reasons.push_back(choices[i].open() ? reason : choices[i].reason);
    }
    result.push_back(std::move(uniform));
  }
  return result;
}

void check_scores(const Sensitivity& scores) {
  for (const LayerSensitivity& layer : scores.layers) {
    if (layer.candidates.empty()) {
      throw Error(ErrorCode::kInvalidInput, "The sensitivity record offers no candidate for a layer.", layer.layer.name,
                  "Analyze the model again.");
    }
    for (const CandidateScore& score : layer.candidates) {
      if (std::isfinite(score.damage) && score.damage >= 0 && score.stored_bytes >= 0 && score.file_bytes >= 0)
        continue;
      throw Error(ErrorCode::kInvalidInput,
                  "The sensitivity record gives " + to_string(score.candidate) + " a damage of " +
                      format_number(score.damage) + " and " + std::to_string(score.stored_bytes) + " stored bytes (" +
                      std::to_string(score.file_bytes) + " in the file); none may be negative or infinite.",
                  layer.layer.name, "Analyze the model again.");
    }
  }
}

std::optional<std::size_t> float_candidate(const LayerSensitivity& layer) {
  for (std::size_t c = 0; c < layer.candidates.size(); ++c) {
    if (layer.candidates[c].candidate.form == "float") return c;
  }
  return std::nullopt;
}

}  // namespace mpq::knapsack
