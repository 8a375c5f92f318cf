#include "prices/derived_candidates.h"

#include <algorithm>
#include <iterator>

namespace mpq {

void add_candidates(std::vector<CandidateScore> added, LayerSensitivity& layer) {
  auto& candidates = layer.candidates;
  candidates.insert(candidates.end() - 1, std::make_move_iterator(added.begin()), std::make_move_iterator(added.end()));
  std::stable_sort(candidates.begin(), candidates.end() - 1,
                   [](const CandidateScore& a, const CandidateScore& b) { return a.stored_bytes < b.stored_bytes; });
}

}  // namespace mpq
