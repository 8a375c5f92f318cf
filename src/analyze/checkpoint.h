#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "analyze/trials.h"
#include "support/journal.h"

namespace mpq::perturb {

/// Identifies an analysis: model, data, samples, settings, candidates and the runtime that computes it.
std::string checkpoint_key(const Experiment& experiment);

/// Finished pieces of an analysis in a journal. Numbers are hexadecimal floats and come back bit for bit.
class Checkpoint {
 public:
  /// Takes up what the file holds when it belongs to `key`; else begins it anew. Throws Error{kOutput}.
  Checkpoint(std::string path, const std::string& key);

  std::optional<ItemResult> find(std::size_t task, TrialRange range) const;
  void append(std::size_t task, TrialRange range, const ItemResult& result);
  std::size_t resumed() const { return pieces_.size(); }
  const std::string& path() const { return journal_.path(); }
  /// The analysis is complete: the file has served.
  void remove() { journal_.remove(); }

 private:
  using PieceKey = std::pair<std::size_t, std::pair<std::size_t, std::size_t>>;  // task, (first, count)
  bool take(const std::string& line);

  std::map<PieceKey, ItemResult> pieces_;  // as found on disk; not changed afterwards
  Journal journal_;                        // fills them
};

}  // namespace mpq::perturb
