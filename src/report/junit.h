#pragma once

#include <string>
#include <vector>

#include "mpq/check.h"

namespace mpq::report {

/// JUnit XML (the common subset that CI systems read): one test case per verdict. A warning is a passed case whose
/// output says what it is about, so that it is seen without failing the job.
std::string junit_xml(const std::vector<GateResult>& results, const std::string& suite);

}  // namespace mpq::report
