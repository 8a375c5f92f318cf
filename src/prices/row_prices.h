#pragma once

#include <functional>
#include <vector>

#include "mpq/analyze.h"

namespace mpq {

/// Adds candidates with widths of their own for the rows (output channels) to every layer of a finished analysis of a
/// model of `opset`, where AnalyzeOptions::forms has "rows": for mean widths at every half bit, the rows' widths that
/// err least. An error counts by the squares of the row's adjoint (LayerSensitivity::row_energies), drawn towards
/// their mean over the layer by as much as two halves of the samples disagree; without them all rows count alike.
///
/// A candidate's damage is that of the plain grids, told by how their errors, counted alike, compare with its own; rows
/// are chosen by one half of the samples and priced by the other, and the other way round, for a choice looks good on
/// the samples that made it. Candidates that gain hardly anything over plain grids of the same bytes are left out, and
/// so are all of them where scales are fitted by "minmax", the plain baseline.
/// `weight(i)`: the weight of scores.layers[i]; called from several threads.
void price_rows(const std::function<std::vector<float>(std::size_t)>& weight, std::int64_t opset,
                const AnalyzeOptions& options, Sensitivity& scores);

}  // namespace mpq
