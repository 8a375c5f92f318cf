#include "analyze/checkpoint.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "mpq/error.h"

#include "fixtures.h"

namespace mpq::perturb {
namespace {

class CheckpointTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  std::string text() const {
    std::ostringstream content;
    content << std::ifstream(path_, std::ios::binary).rdbuf();
    return content.str();
  }
  const std::string path_ = testing_models::temporary("checkpoint").string();
  const ItemResult piece_{{{0.1, 1e-300, 3.0}, {1.0 / 3, 0, 1e6}}, "", "a remark\nof two lines", 6};
};

TEST_F(CheckpointTest, GivesBackEveryBit) {
  { Checkpoint(path_, "key").append(3, {4, 3}, piece_); }
  const Checkpoint again(path_, "key");
  EXPECT_EQ(again.resumed(), 1U);
  const auto found = again.find(3, {4, 3});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->damages, piece_.damages);
  EXPECT_EQ(found->runs, 6);
  EXPECT_EQ(found->remark, "a remark of two lines");
  EXPECT_FALSE(again.find(3, {4, 2}));
  EXPECT_FALSE(again.find(2, {4, 3}));
}

TEST_F(CheckpointTest, KeepsFailures) {
  ItemResult failed;
  failed.failure = "It cannot be perturbed: no kernel.";
  { Checkpoint(path_, "key").append(0, {0, 4}, failed); }
  EXPECT_EQ(Checkpoint(path_, "key").find(0, {0, 4})->failure, failed.failure);
}

TEST_F(CheckpointTest, OfAnotherAnalysisIsBegunAnew) {
  { Checkpoint(path_, "key").append(0, {0, 3}, piece_); }
  EXPECT_EQ(Checkpoint(path_, "other").resumed(), 0U);
  EXPECT_EQ(Checkpoint(path_, "key").resumed(), 0U);
}

TEST_F(CheckpointTest, DropsALineThatWasNotWrittenToItsEnd) {
  {
    Checkpoint checkpoint(path_, "key");
    checkpoint.append(0, {0, 3}, piece_);
    checkpoint.append(1, {0, 3}, piece_);
  }
  const std::string whole = text();
  const std::size_t first_line = whole.find('\n') + 1;
  const std::size_t second_line = whole.find('\n', first_line) + 1;
  for (std::size_t cut = second_line; cut < whole.size(); cut += 3) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << whole.substr(0, cut);
    {
      Checkpoint checkpoint(path_, "key");
      ASSERT_EQ(checkpoint.resumed(), 1U) << cut;
      checkpoint.append(1, {0, 3}, piece_);
    }
    ASSERT_EQ(text(), whole) << cut;
  }
}

TEST_F(CheckpointTest, RefusesAFileThatIsNone) {
  std::ofstream(path_) << "my thesis";
  EXPECT_THROW(Checkpoint(path_, "key"), Error);
  EXPECT_EQ(text(), "my thesis");
}

TEST_F(CheckpointTest, RefusesAFolderThatIsNotThere) {
  try {
    Checkpoint("/no/such/folder/checkpoint", "key");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kOutput);
  }
}

TEST_F(CheckpointTest, IsRemovedWhenItHasServed) {
  Checkpoint checkpoint(path_, "key");
  checkpoint.remove();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace mpq::perturb
