#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "mpq/model.h"

#include "graph/values.h"

namespace mpq::data {

/// What the nodes that read an input tell about workable contents. Names are never looked at.
struct InputHints {
  /// Integers select rows of a table: all values must be below this. 1 where the table's size is unknown.
  std::optional<std::int64_t> rows;
  /// The input is compared with this constant, so a branch of the model exists for it (a sampling rate, a mode).
  std::optional<std::int64_t> compared_with;
  /// Extents by axis (negative: from the end) that a weight demands: input channels, features.
  std::map<int, std::int64_t> extents;
};

/// Interviews the readers of `input`, followed through nodes that keep its elements (Cast, Reshape, Slice, ...).
InputHints hints_for(const Model& model, const graph::ValueTable& table, const ValueInfo& input);

}  // namespace mpq::data
