#pragma once

#include <cstdio>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "analyze/trials.h"

namespace mpq::perturb {

/// Identifies an analysis: model, data, samples, settings, candidates and the runtime that computes it.
std::string checkpoint_key(const Experiment& experiment);

/// Finished pieces of an analysis, appended to a file as they come, so that an interrupted or killed run can go on.
/// Text, one line per piece; numbers are hexadecimal floats and come back bit for bit. A line that was not
/// written to its end is dropped. An empty path keeps nothing. Thread safe.
class Checkpoint {
 public:
  /// Takes up what the file holds when it belongs to `key`; else begins it anew. Throws Error{kOutput}.
  Checkpoint(std::string path, const std::string& key);
  ~Checkpoint();
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  std::optional<ItemResult> find(std::size_t task, TrialRange range) const;
  void append(std::size_t task, TrialRange range, const ItemResult& result);
  std::size_t resumed() const { return pieces_.size(); }
  const std::string& path() const { return path_; }
  /// The analysis is complete: the file has served.
  void remove();

 private:
  using PieceKey = std::pair<std::size_t, std::pair<std::size_t, std::size_t>>;  // task, (first, count)
  std::size_t load(const std::string& header);

  std::string path_;
  std::map<PieceKey, ItemResult> pieces_;  // as found on disk; not changed afterwards
  std::FILE* file_ = nullptr;
  std::mutex mutex_;
};

}  // namespace mpq::perturb
