#pragma once

#include <string>
#include <vector>

namespace mpq::cli {

/// The edit distance with swaps of neighbours (optimal string alignment).
std::size_t edit_distance(const std::string& a, const std::string& b);

/// "Did you mean X?" with the nearest of `known`; empty when none is near `name`.
std::string did_you_mean(const std::string& name, const std::vector<std::string>& known);

}  // namespace mpq::cli
