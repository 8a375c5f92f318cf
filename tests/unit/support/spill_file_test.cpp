#include "support/spill_file.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "mpq/error.h"

#include "folder.h"
#include "support/memory.h"

namespace mpq {
namespace {

std::vector<std::byte> numbered(std::size_t count, int first) {
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>((static_cast<int>(i) * 31 + first) % 251);
  return bytes;
}

bool same(std::span<const std::byte> a, std::span<const std::byte> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

/// Sets a variable of the environment for a while.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) before_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { before_.empty() ? ::unsetenv(name_) : ::setenv(name_, before_.c_str(), 1); }

 private:
  const char* name_;
  std::string before_;
};

TEST(SpillFileTest, KeepsPartsOfAnySizeApart) {
  std::vector<std::shared_ptr<const MappedFile>> kept;
  const std::vector<std::size_t> sizes = {1, 4095, 4096, 4097, 1000000};
  {
    SpillFile file;
    for (std::size_t i = 0; i < sizes.size(); ++i) kept.push_back(file.keep(numbered(sizes[i], static_cast<int>(i))));
  }  // the mappings outlive the file
  for (std::size_t i = 0; i < sizes.size(); ++i)
    EXPECT_TRUE(same(kept[i]->bytes(), numbered(sizes[i], static_cast<int>(i)))) << sizes[i];
}

TEST(SpillFileTest, ReleasedBytesAreReadAgain) {
  SpillFile file;
  const auto kept = file.keep(numbered(3 * 4096 + 17, 5));
  kept->release(kept->bytes());
  kept->release(kept->bytes().subspan(100, 5000));
  EXPECT_TRUE(same(kept->bytes(), numbered(3 * 4096 + 17, 5)));
}

TEST(SpillFileTest, LeavesNothingInItsFolder) {
  const TemporaryFolder folder;
  const Variable variable("TMPDIR", folder.path());
  SpillFile file;
  const auto kept = file.keep(numbered(10, 0));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(SpillFileTest, AMissingFolderIsNamed) {
  const TemporaryFolder folder;
  const Variable variable("TMPDIR", folder.file("none"));
  try {
    SpillFile file;
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kOutput);
    EXPECT_EQ(error.where(), folder.file("none"));
  }
}

TEST(MachineMemory, IsThatOfThisMachineAtMost) {
  const std::int64_t pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  EXPECT_GT(machine_memory_bytes(), 0);
  EXPECT_LE(machine_memory_bytes(), pages * page);
}

}  // namespace
}  // namespace mpq
