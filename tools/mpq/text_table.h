#pragma once

#include <string>
#include <vector>

namespace mpq::cli {

/// Left-aligned text in columns; the column `flexible` is shortened as names until the lines fit into `width`.
/// Columns in `right` are right-aligned.
/// Where that is not enough, the columns `spare` are left out, the first first.
std::string text_table(const std::vector<std::vector<std::string>>& rows, std::size_t flexible,
                       const std::vector<std::size_t>& right, std::size_t width,
                       const std::vector<std::size_t>& spare = {});

}  // namespace mpq::cli
