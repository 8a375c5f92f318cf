#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace mpq {

/// A file mapped read-only; the mapping lives as long as the object.
class MappedFile {
 public:
  /// Throws Error{kInvalidInput} when the file is missing, unreadable or a folder.
  explicit MappedFile(const std::string& path);
  /// A part of an open file, which may be closed afterwards; `offset` is a multiple of the page size and `size` not 0.
  MappedFile(int descriptor, std::int64_t offset, std::size_t size, const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::span<const std::byte> bytes() const { return bytes_; }
  /// Gives the memory behind `part` back to the system; the bytes are read from the file again when they are next
  /// looked at. Pages that `part` covers in part only stay.
  void release(std::span<const std::byte> part) const;

 private:
  std::span<const std::byte> bytes_;
};

/// Whole file as text. Throws Error{kInvalidInput}.
std::string read_text(const std::string& path);

/// An output opened before the work starts: writes go to a temporary file beside `path`; commit() fsyncs and renames it
/// into place. Without commit nothing is left behind. A killed process leaves at most a dot-file that
/// the next AtomicFile for the same path removes. A symbolic link is followed: the file it names is replaced.
/// Devices and pipes (/dev/stdout, /dev/null, a FIFO) are written directly.
class AtomicFile {
 public:
  /// Throws Error{kOutput} when the folder is missing or not writable, or when `path` exists and `force` is false.
  AtomicFile(std::string path, bool force);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Throw Error{kOutput}: disk full, a target that appeared meanwhile, ...
  void write(std::span<const std::byte> bytes);
  void write(const std::string& text);
  void commit();
  const std::string& path() const { return path_; }
  /// Where the bytes go until commit().
  const std::string& temporary_path() const { return temporary_; }

 private:
  void open_temporary();
  std::string path_, target_, temporary_;  ///< as given; behind symbolic links; where the bytes go
  int fd_ = -1;
  bool force_;
  bool direct_ = false;  ///< a device or pipe: written as it is, nothing to rename
};

/// True when both paths name the same existing file.
bool same_file(const std::string& a, const std::string& b);

}  // namespace mpq
