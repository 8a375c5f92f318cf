#include <cerrno>
#include <charconv>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "mpq/error.h"

#include "support/files.h"

namespace mpq {
namespace {

constexpr const char* kMark = ".mpq-tmp-";

[[noreturn]] void fail(const std::string& path, const std::string& what, const std::string& hint = {}) {
  throw Error(ErrorCode::kOutput, what, path, hint);
}

std::string reason(int error) { return std::generic_category().message(error); }

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

/// What all temporaries of `path` start with. File names have at most 255 bytes, so a very long one is cut.
std::string temporary_prefix(const std::string& path) {
  return "." + std::filesystem::path(path).filename().string().substr(0, 200) + kMark;
}

/// Whether the process that made a temporary lives. Every writer holds a lock on its temporary, which vanishes with the
/// process even across containers that share the folder; the process number in the name serves where locks are missing.
bool is_abandoned(const std::string& file, const std::string& process_text) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return false;
  const bool locked = ::flock(fd, LOCK_EX | LOCK_NB) == 0;
  const int error = errno;
  ::close(fd);
  if (locked) return true;
  if (error == EWOULDBLOCK) return false;
  pid_t process = 0;
  const auto parsed = std::from_chars(process_text.data(), process_text.data() + process_text.size(), process);
  return parsed.ec == std::errc() && process > 0 && ::kill(process, 0) != 0 && errno == ESRCH;
}

void remove_abandoned(const std::string& path) {
  const std::string folder = folder_of(path), prefix = temporary_prefix(path);
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && is_abandoned(entry.path().string(), name.substr(prefix.size())))
      ::unlink(entry.path().c_str());
  }
}

/// Opens and locks a new file. Another writer may take the file for abandoned between the two steps and remove it;
/// then the open file has no name left, and -1 asks for another try.
int create_locked(const std::string& file, mode_t mode) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return -1;
  while (::flock(fd, LOCK_EX) != 0 && errno == EINTR) {
  }
  struct stat info {};
  if (::fstat(fd, &info) == 0 && info.st_nlink > 0) return fd;
  ::close(fd);
  errno = EEXIST;
  return -1;
}

void sync_folder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;  // a folder may be writable without being readable; the rename itself has happened
  ::fsync(fd);
  ::close(fd);
}

/// Renames without ever replacing a file, where the file system can; else the gap is as small as it gets.
int rename_new(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  struct stat info {};
  if (::lstat(to.c_str(), &info) == 0) {
    errno = EEXIST;
    return -1;
  }
  return ::rename(from.c_str(), to.c_str());
}

int open_device(const std::string& path) {
  // Opening /dev/stdout anew would write over what a redirected file already holds.
  if (path == "/dev/stdout") return ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  if (path == "/dev/stderr") return ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
  return ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
}

}  // namespace

AtomicFile::AtomicFile(std::string path, bool force) : path_(std::move(path)), force_(force) {
  if (path_.empty()) fail(path_, "The name of the output is empty.");
  struct stat info {};
  const bool exists = ::stat(path_.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode)) fail(path_, "The output is a folder; a file name was expected.");
  direct_ = path_ == "/dev/stdout" || path_ == "/dev/stderr" || (exists && !S_ISREG(info.st_mode));
  if (direct_) {
    temporary_ = path_;
    fd_ = open_device(path_);
    if (fd_ < 0) fail(path_, "The output cannot be opened: " + reason(errno) + ".");
    return;
  }
  if (exists && !force_)
    fail(path_, "The output exists already.", "Give another name with -o, or replace it with --force.");
  open_temporary();
  if (exists) ::fchmod(fd_, info.st_mode & 07777);
}

void AtomicFile::open_temporary() {
  std::error_code error;
  // A link to nothing is itself the target: its name becomes the file.
  const std::filesystem::path real = std::filesystem::canonical(path_, error);
  target_ = error ? path_ : real.string();
  const std::string folder = folder_of(target_);
  if (!std::filesystem::is_directory(folder, error))
    fail(path_, "The folder " + folder + " of the output does not exist.", "Create it, or give another name with -o.");
  remove_abandoned(target_);
  const std::string stem = folder + "/" + temporary_prefix(target_) + std::to_string(::getpid());
  for (int attempt = 0; attempt < 100 && fd_ < 0; ++attempt) {
    temporary_ = attempt == 0 ? stem : stem + "-" + std::to_string(attempt);
    fd_ = create_locked(temporary_, 0666);
    if (fd_ < 0 && errno != EEXIST) break;
  }
  if (fd_ < 0) {
    const int code = errno;
    fail(path_, "The output cannot be created in " + folder + ": " + reason(code) + ".",
         "Check the folder's permissions and the free space, or give another name with -o.");
  }
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  if (!direct_) ::unlink(temporary_.c_str());
  ::close(fd_);
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (fd_ < 0) throw Error(ErrorCode::kInternal, "The output was written to after it was finished.", path_);
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd_, bytes.data(), bytes.size());
    if (done >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(done));
    } else if (errno != EINTR) {
      fail(path_, "The output cannot be written: " + reason(errno) + ".", "Check the free space of the disk.");
    }
  }
}

void AtomicFile::write(const std::string& text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::commit() {
  if (fd_ < 0) throw Error(ErrorCode::kInternal, "The output was finished twice.", path_);
  if (!direct_) {
    if (::fsync(fd_) != 0)
      fail(path_, "The output cannot be written to the disk: " + reason(errno) + ".",
           "Check the free space of the disk.");
    const int renamed = force_ ? ::rename(temporary_.c_str(), target_.c_str()) : rename_new(temporary_, target_);
    if (renamed != 0 && errno == EEXIST)
      fail(path_, "The output appeared while it was being made; it was left as it is.",
           "Give another name with -o, or replace it with --force.");
    if (renamed != 0) fail(path_, "The output cannot be put in place: " + reason(errno) + ".");
    sync_folder(folder_of(target_));
  }
  const int fd = fd_;
  fd_ = -1;
  if (::close(fd) != 0 && errno != EINTR) fail(path_, "The output cannot be finished: " + reason(errno) + ".");
}

}  // namespace mpq
