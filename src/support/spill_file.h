#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "support/files.h"

namespace mpq {

/// Bytes put aside on disk because memory is limited. The file has no name: it goes with the object and with the
/// process. It lies in the folder TMPDIR names, else in /var/tmp, which, unlike /tmp, is never made of memory. Thread
/// safe.
class SpillFile {
 public:
  /// Throws Error{kOutput} when there is no such folder or it is not writable.
  SpillFile();
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  /// Writes the bytes, at least one, and maps them; they take memory only while they are looked at. The mapping
  /// outlives the object. Throws Error{kOutput} when the disk is full.
  std::shared_ptr<const MappedFile> keep(std::span<const std::byte> bytes);

 private:
  std::string folder_;
  int descriptor_ = -1;
  std::mutex mutex_;
  std::int64_t end_ = 0;
};

}  // namespace mpq
