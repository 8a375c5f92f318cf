#pragma once

#include "mpq/run_record.h"

namespace mpq::report_test {

/// Three layers and two weights left alone, with made-up but consistent figures.
Sensitivity sample_sensitivity();
/// A plan over sample_sensitivity(): one layer per candidate, "fc" set by the user.
Plan sample_plan();
/// A whole quantize run of both, verified on real data with labels.
RunRecord sample_run();

}  // namespace mpq::report_test
