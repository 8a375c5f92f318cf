#pragma once

#include <functional>
#include <vector>

#include "mpq/analyze.h"

namespace mpq {

/// Adds the trellises of every layer to a finished analysis, where AnalyzeOptions::forms has them. They are not
/// measured: their damage is that of the grid of the same width times the ratio of their squared errors on the weights,
/// of some rows where there are many. Two prices with luck of their own would let whichever is the luckier win, layer
/// after layer; this way a trellis is preferred for erring less and for nothing else. Those that err hardly less than
/// the grid are left out, and so are all of them where scales are fitted by "minmax", the plain baseline, where the
/// store is to be fast, and in portable files, whose integers have at most 7 bits.
/// `weight(i)`: the weight of scores.layers[i]; called from several threads.
void price_trellises(const std::function<std::vector<float>(std::size_t)>& weight, const AnalyzeOptions& options,
                     Sensitivity& scores);

}  // namespace mpq
