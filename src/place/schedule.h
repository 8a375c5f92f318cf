#pragma once

#include <vector>

#include "place/problem.h"

namespace mpq::placing {

/// Segments in one session on one processor.
struct Task {
  std::vector<int> segments;  ///< rising
  int processor = 0;
  double start = 0, seconds = 0;
};

/// One request: every segment in exactly one task, the tasks in an order in which each stands behind those it reads.
struct Schedule {
  std::vector<Task> tasks;
  double seconds = 0;
};

/// Starts every task, in the order given, as soon as what it reads has been handed over and the cores of its processor
/// are free; fills in start, seconds and the whole. A processor whose memory does not suffice makes it infinite, and
/// so does an order in which a task stands before one it reads.
void settle(const Problem& problem, Schedule& schedule);

/// Segments [first, end) by list scheduling with insertion on the processors of `set` (HEFT: Topcuoglu, Hariri, Wu,
/// IEEE TPDS 13 (2002)), in the order of their starts, one segment a task.
std::vector<Task> list_schedule(const Problem& problem, int first, int end, std::uint32_t set);

/// Joins tasks of one processor into one session wherever the request is answered no later for it.
void join_tasks(const Problem& problem, Schedule& schedule);

}  // namespace mpq::placing
