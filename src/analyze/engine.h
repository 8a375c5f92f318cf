#pragma once

#include <vector>

#include "mpq/analyze.h"

namespace mpq::perturb {

/// The perturbation engine (US20240220783A1): perturbs the weights of each layer a number of times, determines the
/// change in the outputs, and makes a sensitivity metric per layer out of it.
///
/// `candidates[i]` are the storage forms of the i-th quantizable layer of `model`, by rising bytes; "float" is added
/// when it is not the last. Fills everything of Sensitivity but the file sizes (CandidateScore::file_bytes, SizeFacts),
/// which only the writer of files knows. Throws as mpq::analyze; Error{kInterrupted} when the observer cancels.
Sensitivity analyze_candidates(const Model& model, const Samples& samples,
                               const std::vector<std::vector<Candidate>>& candidates, const AnalyzeOptions& options,
                               Observer& observer, AnalysisCost* cost);

}  // namespace mpq::perturb
