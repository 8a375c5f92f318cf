#pragma once

#include <optional>
#include <string>

#include "mpq/run_record.h"

#include "report/style.h"

namespace mpq::report {

/// Predicted against measured damage, the figures of every output, accuracy with its test, and how much the data
/// proves.
std::string verification_section(const RunRecord& record, const Style& style);

}  // namespace mpq::report
