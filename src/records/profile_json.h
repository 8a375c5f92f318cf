#pragma once

#include "mpq/profile.h"

#include "records/json_reader.h"

namespace mpq {

// One cost by itself, for the checkpoint of a profile.

Json write_segment_cost(const SegmentCost& cost);
SegmentCost read_segment_cost(const JsonReader& reader);

}  // namespace mpq
