#pragma once

#include "place/problem.h"

namespace mpq::placing {

/// The longest chain of segments, each at its fastest processor and without any overhead it may be spared: no schedule
/// answers a request sooner. Seconds.
double critical_path(const Problem& problem);

/// No schedule of the segments, even in arbitrarily small pieces, keeps the cores busy for less: the greatest found,
/// over weights w of the cores that add up to 1, of the sum over segments of min over processors p of (sum of w over
/// the cores of p) * seconds(segment, p). That is the dual of the linear relaxation of scheduling on unrelated machines
/// (Lenstra, Shmoys, Tardos 1990); for equal processors it is work / processors. Seconds.
double work_bound(const Problem& problem);

}  // namespace mpq::placing
