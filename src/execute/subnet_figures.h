#pragma once

#include <vector>

#include "mpq/execution.h"

namespace mpq::executing {

/// What each subnet took on each processor that ran it, beside what the placement promises.
std::vector<SubnetFigures> subnet_figures(const std::vector<ExecutionEvent>& events, const Placement& placement);

}  // namespace mpq::executing
