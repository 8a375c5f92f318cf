#pragma once

#include <string>
#include <vector>

namespace mpq::cli {

/// What `mpq man` knows a page of: "mpq", the commands and the topics.
std::vector<std::string> manual_names();

}  // namespace mpq::cli
