#include "support/files.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "mpq/error.h"

namespace mpq {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ErrorCode::kInvalidInput, what, path, "Check the path.");
}

std::string reason(int error) { return std::generic_category().message(error); }

/// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) fail(path, "The file cannot be opened: " + reason(errno) + ".");
    if (::fstat(fd_, &info_) != 0) {
      const int error = errno;
      ::close(fd_);
      fail(path, "The file cannot be examined: " + reason(error) + ".");
    }
    if (S_ISDIR(info_.st_mode)) {
      ::close(fd_);
      fail(path, "A file was expected, but this is a folder.");
    }
  }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  const struct stat& info() const { return info_; }

 private:
  int fd_;
  struct stat info_ {};
};

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  const Descriptor file(path);
  if (!S_ISREG(file.info().st_mode)) fail(path, "A regular file was expected, but this is a pipe or device.");
  const auto size = static_cast<std::size_t>(file.info().st_size);
  if (size == 0) return;  // an empty mapping is an error of mmap
  void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (start == MAP_FAILED) fail(path, "The file cannot be mapped into memory: " + reason(errno) + ".");
  bytes_ = {static_cast<const std::byte*>(start), size};
}

MappedFile::MappedFile(int descriptor, std::int64_t offset, std::size_t size, const std::string& path) {
  void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, offset);
  if (start == MAP_FAILED) fail(path, "The file cannot be mapped into memory: " + reason(errno) + ".");
  bytes_ = {static_cast<const std::byte*>(start), size};
}

void MappedFile::release(std::span<const std::byte> part) const {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto address = [](const std::byte* byte) { return reinterpret_cast<std::uintptr_t>(byte); };
  const std::byte* end = part.data() + part.size();
  const bool to_the_end = end == bytes_.data() + bytes_.size();  // what follows in the last page is nobody's
  const std::uintptr_t begin = (address(part.data()) + page - 1) / page * page;
  const std::uintptr_t stop = to_the_end ? address(end) : address(end) / page * page;
  if (part.empty() || begin >= stop) return;
  ::madvise(reinterpret_cast<void*>(begin), stop - begin, MADV_DONTNEED);  // a hint: failing changes nothing
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

std::string read_text(const std::string& path) {
  const Descriptor file(path);
  std::string text;
  if (file.info().st_size > 0) text.reserve(static_cast<std::size_t>(file.info().st_size));
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got == 0) return text;
    if (got > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      fail(path, "The file cannot be read: " + reason(errno) + ".");
    }
  }
}

bool same_file(const std::string& a, const std::string& b) {
  struct stat first {
  }, second{};
  if (::stat(a.c_str(), &first) != 0 || ::stat(b.c_str(), &second) != 0) return false;
  return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

}  // namespace mpq
