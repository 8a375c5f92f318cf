#include "support/files.h"

#include <gtest/gtest.h>

#include "mpq/error.h"

#include "folder.h"

namespace mpq {
namespace {

template <typename Action>
void expect_invalid_input(const std::string& path, const Action& action) {
  try {
    action();
    FAIL() << "no error for " << path;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(error.where(), path);
  }
}

TEST(MappedFileTest, ShowsTheBytes) {
  const TemporaryFolder folder;
  put(folder.file("a"), std::string("x\0y", 3));
  const MappedFile file(folder.file("a"));
  ASSERT_EQ(file.bytes().size(), 3u);
  EXPECT_EQ(file.bytes()[2], std::byte{'y'});
}

TEST(MappedFileTest, AnEmptyFileIsEmpty) {
  const TemporaryFolder folder;
  put(folder.file("a"), "");
  EXPECT_TRUE(MappedFile(folder.file("a")).bytes().empty());
}

TEST(MappedFileTest, RefusesMissingFilesAndFolders) {
  const TemporaryFolder folder;
  expect_invalid_input(folder.file("none"), [&] { MappedFile(folder.file("none")); });
  expect_invalid_input(folder.path(), [&] { MappedFile(folder.path()); });
  expect_invalid_input("/dev/null", [&] { MappedFile("/dev/null"); });
}

TEST(ReadText, ReadsTheWholeFile) {
  const TemporaryFolder folder;
  const std::string text = std::string(200000, 'a') + std::string("\0b", 2);
  put(folder.file("a"), text);
  EXPECT_EQ(read_text(folder.file("a")), text);
  EXPECT_EQ(read_text("/dev/null"), "");
}

TEST(ReadText, RefusesMissingFilesAndFolders) {
  const TemporaryFolder folder;
  expect_invalid_input(folder.file("none"), [&] { read_text(folder.file("none")); });
  expect_invalid_input(folder.path(), [&] { read_text(folder.path()); });
}

TEST(SameFile, SeesThroughLinksAndSpellings) {
  const TemporaryFolder folder;
  put(folder.file("a"), "1");
  put(folder.file("b"), "1");
  std::filesystem::create_symlink(folder.file("a"), folder.file("link"));
  std::filesystem::create_hard_link(folder.file("a"), folder.file("hard"));
  EXPECT_TRUE(same_file(folder.file("a"), folder.path() + "/./a"));
  EXPECT_TRUE(same_file(folder.file("a"), folder.file("link")));
  EXPECT_TRUE(same_file(folder.file("a"), folder.file("hard")));
  EXPECT_FALSE(same_file(folder.file("a"), folder.file("b")));
  EXPECT_FALSE(same_file(folder.file("none"), folder.file("none")));
}

}  // namespace
}  // namespace mpq
