#include <functional>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "folder.h"
#include "support/files.h"

namespace mpq {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

template <typename Action>
std::string output_error(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kOutput);
    return error.what();
  }
  return "no error";
}

/// Runs `action` in a child process that kills itself afterwards as kill -9 would.
void run_and_kill(const std::function<void()>& action) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    action();
    ::kill(::getpid(), SIGKILL);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
}

TEST(AtomicFileTest, AppearsOnlyWithTheCommit) {
  const TemporaryFolder folder;
  AtomicFile file(folder.file("out"), false);
  file.write("half ");
  file.write(std::string("done"));
  EXPECT_FALSE(std::filesystem::exists(folder.file("out")));
  EXPECT_EQ(std::filesystem::path(file.temporary_path()).parent_path(), folder.path());
  file.commit();
  EXPECT_EQ(content(folder.file("out")), "half done");
  EXPECT_THAT(folder.names(), ElementsAre("out"));
}

TEST(AtomicFileTest, LeavesNothingWithoutACommit) {
  const TemporaryFolder folder;
  { AtomicFile(folder.file("out"), false).write("lost"); }
  EXPECT_THAT(folder.names(), IsEmpty());
  put(folder.file("out"), "old");
  { AtomicFile(folder.file("out"), true).write("lost"); }
  EXPECT_THAT(folder.names(), ElementsAre("out"));
  EXPECT_EQ(content(folder.file("out")), "old");
}

TEST(AtomicFileTest, ReplacesOnlyWhenForced) {
  const TemporaryFolder folder;
  put(folder.file("out"), "old");
  EXPECT_THAT(output_error([&] { AtomicFile(folder.file("out"), false); }), testing::HasSubstr("exists already"));
  EXPECT_EQ(content(folder.file("out")), "old");
  AtomicFile file(folder.file("out"), true);
  file.write("new");
  EXPECT_EQ(content(folder.file("out")), "old");
  file.commit();
  EXPECT_EQ(content(folder.file("out")), "new");
}

TEST(AtomicFileTest, DoesNotReplaceAFileThatAppearedMeanwhile) {
  const TemporaryFolder folder;
  {
    AtomicFile file(folder.file("out"), false);
    file.write("mine");
    put(folder.file("out"), "theirs");
    EXPECT_THAT(output_error([&] { file.commit(); }), testing::HasSubstr("appeared"));
  }
  EXPECT_EQ(content(folder.file("out")), "theirs");
  EXPECT_THAT(folder.names(), ElementsAre("out"));
}

TEST(AtomicFileTest, RefusesWhatCannotBeWritten) {
  const TemporaryFolder folder;
  EXPECT_THAT(output_error([&] { AtomicFile(folder.file("none/out"), false); }), testing::HasSubstr("does not exist"));
  EXPECT_THAT(output_error([&] { AtomicFile(folder.path(), true); }), testing::HasSubstr("is a folder"));
  EXPECT_THAT(output_error([&] { AtomicFile("", true); }), testing::HasSubstr("empty"));
  put(folder.file("file"), "");
  EXPECT_THAT(output_error([&] { AtomicFile(folder.file("file/out"), false); }), testing::HasSubstr("does not exist"));
}

TEST(AtomicFileTest, KeepsThePermissionsOfWhatItReplaces) {
  const TemporaryFolder folder;
  put(folder.file("out"), "old");
  ::chmod(folder.file("out").c_str(), 0640);
  AtomicFile file(folder.file("out"), true);
  file.commit();
  struct stat info {};
  ASSERT_EQ(::stat(folder.file("out").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

TEST(AtomicFileTest, FollowsASymbolicLink) {
  const TemporaryFolder folder, other;
  put(other.file("real"), "old");
  std::filesystem::create_symlink(other.file("real"), folder.file("link"));
  AtomicFile file(folder.file("link"), true);
  file.write("new");
  file.commit();
  EXPECT_TRUE(std::filesystem::is_symlink(folder.file("link")));
  EXPECT_EQ(content(other.file("real")), "new");
  EXPECT_THAT(other.names(), ElementsAre("real"));
}

TEST(AtomicFileTest, WritesDevicesAndPipesDirectly) {
  AtomicFile null("/dev/null", false);
  null.write("gone");
  null.commit();
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));

  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo(folder.file("pipe").c_str(), 0600), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool good = content(folder.file("pipe")) == "through";
    ::_exit(good ? 0 : 1);
  }
  AtomicFile pipe(folder.file("pipe"), false);
  pipe.write("through");
  pipe.commit();
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(AtomicFileTest, StdoutIsAppendedToNotReplaced) {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::freopen(folder.file("out").c_str(), "w", stdout) == nullptr) ::_exit(1);
    if (::write(STDOUT_FILENO, "before ", 7) != 7) ::_exit(1);
    AtomicFile file("/dev/stdout", false);
    file.write("after");
    file.commit();
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(content(folder.file("out")), "before after");
}

TEST(AtomicFileTest, AKilledWriterLeavesTheOldFileWhole) {
  const TemporaryFolder folder;
  put(folder.file("out"), "old");
  run_and_kill([&] {
    auto* file = new AtomicFile(folder.file("out"), true);
    file->write(std::string(100000, 'n'));
  });
  EXPECT_EQ(content(folder.file("out")), "old");
  ASSERT_EQ(folder.names().size(), 2u);  // the dead writer's temporary is still there

  AtomicFile file(folder.file("out"), true);
  file.write("new");
  file.commit();
  EXPECT_THAT(folder.names(), ElementsAre("out"));
  EXPECT_EQ(content(folder.file("out")), "new");
}

TEST(AtomicFileTest, AKillAtAnyMomentLeavesOldOrNew) {
  const TemporaryFolder folder;
  const std::string fresh(1 << 16, 'n');
  for (int delay = 0; delay < 30; ++delay) {
    put(folder.file("out"), "old");
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      AtomicFile file(folder.file("out"), true);
      for (int i = 0; i < 64; ++i) file.write(std::string(1 << 10, 'n'));
      file.commit();
      ::_exit(0);
    }
    ::usleep(static_cast<useconds_t>(delay * 100));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const std::string found = content(folder.file("out"));
    ASSERT_TRUE(found == "old" || found == fresh) << found.size();
  }
}

TEST(AtomicFileTest, TwoWritersOfOneTargetDoNotDisturbEachOther) {
  const TemporaryFolder folder;
  AtomicFile first(folder.file("out"), true);
  first.write("first");
  AtomicFile second(folder.file("out"), true);  // must not take the living temporary for a dead one
  second.write("second");
  first.commit();
  EXPECT_EQ(content(folder.file("out")), "first");
  second.commit();
  EXPECT_EQ(content(folder.file("out")), "second");
  EXPECT_THAT(folder.names(), ElementsAre("out"));
}

TEST(AtomicFileTest, RemovesADeadTemporaryThatBearsItsOwnProcessNumber) {
  // In containers every run has the same process number.
  const TemporaryFolder folder;
  put(folder.file(".out.mpq-tmp-" + std::to_string(::getpid())), "stale");
  put(folder.file(".other.mpq-tmp-1"), "not ours");
  AtomicFile file(folder.file("out"), false);
  file.commit();
  EXPECT_THAT(folder.names(), UnorderedElementsAre("out", ".other.mpq-tmp-1"));
}

TEST(AtomicFileTest, TakesTheLongestFileName) {
  const TemporaryFolder folder;
  const std::string name(255, 'a');
  AtomicFile file(folder.file(name), false);
  file.write("x");
  file.commit();
  EXPECT_THAT(folder.names(), ElementsAre(name));
}

}  // namespace
}  // namespace mpq
