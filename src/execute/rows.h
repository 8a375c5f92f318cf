#pragma once

#include <cstdint>
#include <vector>

#include "mpq/samples.h"

namespace mpq::executing {

/// Rows [first, first + count) of every tensor.
Feed rows_of(const Feed& feed, std::int64_t first, std::int64_t count);

/// Tensors of the same names under each other, in order. Throws Error{kUnsupported} when their types or other extents
/// differ, or a part has not the rows that it was given: the network mixes rows.
Feed under_each_other(const std::vector<Feed>& parts, const std::vector<std::int64_t>& rows);

/// `rows` divided in the ratio of `shares`, the sum kept: largest remainders first.
std::vector<std::int64_t> divide_rows(std::int64_t rows, const std::vector<std::int64_t>& shares);

}  // namespace mpq::executing
