#pragma once

#include <vector>

#include "place/problem.h"
#include "place/schedule.h"

namespace mpq::placing {

/// Segments [first, end) between two that everything passes through; such a segment is a block of its own.
struct Block {
  int first = 0, end = 0;
};
std::vector<Block> blocks_of(const Problem& problem);

/// One request, block by block: each block on one processor, or list scheduled on a set of processors that do not
/// exclude each other, whichever makes the sum least. Dynamic programming over (block, way); exact for chains.
/// No tasks when a block runs in none of these ways.
Schedule schedule_blocks(const Problem& problem);

}  // namespace mpq::placing
