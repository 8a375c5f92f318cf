#pragma once

#include <functional>
#include <optional>

#include "mpq/allocate.h"
#include "mpq/drop_limit.h"
#include "mpq/observer.h"

namespace mpq {

/// Writes a model of at most so many bytes and measures it against the original.
using TrySize = std::function<SizeTried(const Budget&)>;

/// The smallest model that keeps the limit: bisection over the sizes of the frontier, in steps of two per cent, every
/// model on the way really written and measured. The loss falls with the size up to the noise of the measurement, so
/// what is found is a size that keeps the limit while the next smaller step was measured and does not.
/// `most` limits the size from above; without it, the model as it is does. The last size tried that was kept is the
/// one found. Throws Error{kInfeasible} when none was.
DropSearch search_smallest(const Sensitivity& scores, const AllocateOptions& options, const DropLimit& limit,
                           const std::optional<Budget>& most, const TrySize& try_size, Observer& observer);

}  // namespace mpq
