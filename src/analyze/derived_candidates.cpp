#include "analyze/derived_candidates.h"

#include <algorithm>
#include <iterator>

namespace mpq {

CandidateScore trellis_like(const CandidateScore& grid, const Layer& layer, double error_ratio) {
  CandidateScore score = grid;
  score.candidate.form = "trellis";
  score.stored_bytes = stored_bytes(layer, score.candidate);
  score.error_ratio = error_ratio;
  score.damage *= error_ratio;
  score.standard_error *= error_ratio;
  score.trial_damages.clear();
  return score;
}

void add_candidates(std::vector<CandidateScore> added, LayerSensitivity& layer) {
  auto& candidates = layer.candidates;
  candidates.insert(candidates.end() - 1, std::make_move_iterator(added.begin()), std::make_move_iterator(added.end()));
  std::stable_sort(candidates.begin(), candidates.end() - 1,
                   [](const CandidateScore& a, const CandidateScore& b) { return a.stored_bytes < b.stored_bytes; });
}

std::vector<CandidateScore> take_trellises(LayerSensitivity& layer) {
  std::vector<CandidateScore> taken;
  std::erase_if(layer.candidates, [&](const CandidateScore& score) {
    if (score.candidate.is_trellis()) taken.push_back(score);
    return score.candidate.is_trellis();
  });
  return taken;
}

void put_trellises(const std::vector<CandidateScore>& trellises, LayerSensitivity& layer) {
  std::vector<CandidateScore> added;
  for (const CandidateScore& trellis : trellises) {
    const Candidate grid{trellis.candidate.bits, "grid", 0};
    const auto found = std::ranges::find(layer.candidates, grid, &CandidateScore::candidate);
    if (found == layer.candidates.end()) continue;
    CandidateScore score = trellis_like(*found, layer.layer, trellis.error_ratio);
    score.file_bytes = trellis.file_bytes;
    score.function = trellis.function;
    added.push_back(std::move(score));
  }
  add_candidates(std::move(added), layer);
}

}  // namespace mpq
