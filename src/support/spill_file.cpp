#include "support/spill_file.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

#include "mpq/error.h"

namespace mpq {

namespace {

std::string temporary_folder() {
  const char* named = std::getenv("TMPDIR");
  if (named != nullptr && named[0] != '\0') return named;
  return ::access("/var/tmp", W_OK) == 0 ? "/var/tmp" : "/tmp";
}

[[noreturn]] void fail(const std::string& folder, const std::string& what, int error) {
  throw Error(ErrorCode::kOutput, what + ": " + std::generic_category().message(error) + ".", folder,
              "Name a folder on a disk with room in the environment variable TMPDIR.");
}

int open_unnamed(const std::string& folder) {
  const int unnamed = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (unnamed >= 0) return unnamed;
  std::string path = folder + "/mpq-XXXXXX";  // for file systems without O_TMPFILE
  const int named = ::mkostemp(path.data(), O_CLOEXEC);
  if (named < 0) fail(folder, "No temporary file can be made", errno);
  ::unlink(path.c_str());
  return named;
}

}  // namespace

SpillFile::SpillFile() : folder_(temporary_folder()), descriptor_(open_unnamed(folder_)) {}

SpillFile::~SpillFile() { ::close(descriptor_); }

std::shared_ptr<const MappedFile> SpillFile::keep(std::span<const std::byte> bytes) {
  std::int64_t place = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto page = static_cast<std::int64_t>(::sysconf(_SC_PAGESIZE));
    place = end_;
    end_ += (static_cast<std::int64_t>(bytes.size()) + page - 1) / page * page;
  }
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t wrote = ::pwrite(descriptor_, bytes.data() + done, bytes.size() - done,
                                   static_cast<off_t>(place) + static_cast<off_t>(done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) fail(folder_, "The temporary file cannot be written", wrote < 0 ? errno : ENOSPC);
    done += static_cast<std::size_t>(wrote);
  }
  return std::make_shared<const MappedFile>(descriptor_, place, bytes.size(), folder_);
}

}  // namespace mpq
