#pragma once

#include <functional>
#include <vector>

#include "mpq/analyze.h"

namespace mpq {

/// Adds the codebooks of every layer to a finished analysis, where AnalyzeOptions::forms has them. A codebook is not
/// measured: its damage is that of the grid of the same width times the ratio of their squared errors on the weights.
/// Two prices with luck of their own would let whichever is the luckier win, layer after layer; this way a codebook is
/// preferred for erring less and for nothing else. Codebooks that err hardly less than the grid are left out, and so
/// are all of them where scales are fitted by "minmax", the plain baseline.
/// `weight(i)`: the weight of scores.layers[i]; called from several threads.
void price_codebooks(const std::function<std::vector<float>(std::size_t)>& weight, const AnalyzeOptions& options,
                     Sensitivity& scores);

}  // namespace mpq
