#pragma once

#include <map>
#include <string>
#include <vector>

#include "mpq/profile.h"

#include "support/journal.h"

namespace mpq::profiling {

/// What was measured while the profile stood at one segment.
struct SegmentRow {
  std::vector<SegmentCost> costs;  ///< parallel to Profile::columns
  std::vector<double> ticks;       ///< the yardstick, parallel to Profile::processors
  double seconds = 0;              ///< wall time it took
};

/// The rows of an interrupted profile.
class ProfileJournal {
 public:
  /// Takes up what the file holds when it is of this model, data, machine, processors and options; `profile` has its
  /// facts, processors, segments and columns already. Throws Error{kOutput}.
  ProfileJournal(const std::string& path, const Profile& profile, const ProfileOptions& options);

  /// Null for a segment that is not measured yet.
  const SegmentRow* find(int segment) const;
  void append(int segment, const SegmentRow& row);
  void remove() { journal_.remove(); }

 private:
  bool take(const std::string& line);

  std::map<int, SegmentRow> rows_;
  std::size_t columns_, processors_;
  Journal journal_;  // fills rows_
};

}  // namespace mpq::profiling
