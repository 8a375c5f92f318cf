#pragma once

#include "mpq/report.h"

namespace mpq::report {

/// An analysis or a plan alone as the run it is a part of: for renderers that show any part a record may have.
/// Throws Error{kUsage} for a profile.
RunRecord as_run(const AnyRecord& record);

}  // namespace mpq::report
