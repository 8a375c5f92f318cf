#include "data/zip.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "archive.h"

namespace mpq::data::testing {
namespace {

using ::testing::HasSubstr;

std::string text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.view.data()), bytes.view.size()};
}

std::vector<ZipMember> list(const std::string& archive) { return list_zip(bytes_of(archive).view, "x.npz"); }

/// The content of every member, in order.
std::vector<std::string> contents(const std::string& archive) {
  std::vector<std::string> result;
  for (const ZipMember& member : list(archive)) result.push_back(text_of(extract(bytes_of(archive), member, "x.npz")));
  return result;
}

std::string refused(const std::string& archive) {
  return refusal("x.npz", [&] { contents(archive); });
}

// zlib, level 9, of 24 bytes of "abc" and "hello hello hello!": fixed codes with references backwards.
const std::string kRepeating = "abcabcabcabcabcabcabcabchello hello hello!";
const std::string kRepeatingPacked("\x4b\x4c\x4a\x4e\xc4\x86\x32\x52\x73\x72\xf2\x15\x90\x48\x45\x00", 16);
// 4096 zeros: dynamic codes.
const std::string kZerosPacked("\xed\xc1\x01\x0d\x00\x00\x00\xc2\xa0\xf7\x4f\x6d\x0f\x07\x14\x00\x00\x00\xf0\x6e", 20);

TEST(Zip, TheTestsOwnChecksumIsCrc32) {
  EXPECT_EQ(slow_crc("123456789"), 0xcbf43926U);  // the catalogues' check value
  EXPECT_EQ(slow_crc(kRepeating), 0x89bbf877U);
}

TEST(Zip, ListsWhatTheDirectorySays) {
  const std::vector<ZipMember> members =
      list(zip({stored("a.npy", "123456789"), deflated("b", kRepeatingPacked, kRepeating)}));
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(members[0].name, "a.npy");
  EXPECT_EQ(members[0].method, 0);
  EXPECT_EQ(members[0].crc32, 0xcbf43926U);
  EXPECT_EQ(members[0].unpacked_bytes, 9U);
  EXPECT_EQ(members[0].header_offset, 0U);
  EXPECT_EQ(members[1].method, 8);
  EXPECT_EQ(members[1].packed_bytes, 16U);
  EXPECT_EQ(members[1].unpacked_bytes, 42U);
  EXPECT_EQ(members[1].header_offset, 30U + 5 + 3 + 9);
}

TEST(Zip, ExtractsStoredAndDeflatedMembers) {
  const std::string zeros(4096, '\0');
  const std::string archive =
      zip({stored("1", "123456789"), deflated("2", kRepeatingPacked, kRepeating), deflated("3", kZerosPacked, zeros),
           deflated("4", deflated_plainly("plain"), "plain"), stored("5", "")});
  EXPECT_THAT(contents(archive), ::testing::ElementsAre("123456789", kRepeating, zeros, "plain", ""));
}

TEST(Zip, StoredMembersAreNotCopied) {
  const Bytes archive = bytes_of(zip({stored("a", "123456789")}));
  const Bytes content = extract(archive, list_zip(archive.view, "x.npz")[0], "x.npz");
  EXPECT_EQ(content.view.data(), archive.view.data() + 30 + 1 + 3);
}

TEST(Zip, PassesOverFoldersAndComments) {
  EXPECT_THAT(contents(zip({stored("folder/", ""), stored("folder/a", "x")}, {false, "PK\x05\x06 a comment"})),
              ::testing::ElementsAre("x"));
  EXPECT_TRUE(list(zip({})).empty());
}

TEST(Zip, ReadsZip64) {
  Entry wide = deflated("wide", kRepeatingPacked, kRepeating), plain = stored("plain", "x");
  wide.zip64 = true;
  EXPECT_THAT(contents(zip({plain, wide}, {true, ""})), ::testing::ElementsAre("x", kRepeating));
  EXPECT_THAT(contents(zip({wide, plain}, {false, ""})), ::testing::ElementsAre(kRepeating, "x"));
  EXPECT_THAT(contents(zip({plain}, {true, "comment"})), ::testing::ElementsAre("x"));
}

// The extra field holds only what is saturated: here the offset, behind members of more than 4 GiB.
TEST(Zip, ReadsZip64OffsetsOfSmallMembers) {
  Entry last = deflated("last", kRepeatingPacked, kRepeating);
  last.zip64_offset = true;
  EXPECT_THAT(contents(zip({stored("first", "x"), last})), ::testing::ElementsAre("x", kRepeating));
}

TEST(Zip, RefusesFalseZip64Records) {
  Entry wide = stored("wide", "x");
  wide.zip64 = true;
  std::string archive = zip({wide}, {true, ""});
  const std::size_t locator = archive.rfind("PK\x06\x07");
  std::string astray = archive;
  astray.replace(locator + 8, 8, little(~std::uint64_t{0}, 8));
  EXPECT_THAT(refused(astray), HasSubstr("its directory points outside the file"));
  astray.replace(locator + 8, 8, little(0, 8));
  EXPECT_THAT(refused(astray), HasSubstr("its ZIP64 directory record is missing"));
  const std::size_t extra = archive.find(little(1, 2) + little(24, 2));
  ASSERT_NE(extra, std::string::npos);
  astray = archive;
  astray.replace(extra + 2, 2, little(8, 2));  // no room for the three numbers, and rubbish behind
  EXPECT_THAT(refused(astray), HasSubstr("damaged"));
}

TEST(Zip, EveryTruncationIsRefused) {
  const std::string archive = zip({stored("a", "123456789"), deflated("b", kRepeatingPacked, kRepeating)});
  for (std::size_t length = 0; length < archive.size(); ++length) {
    EXPECT_THAT(refused(archive.substr(0, length)), HasSubstr("ends without a directory")) << length;
  }
}

TEST(Zip, RefusesDamagedContent) {
  std::string archive = zip({stored("a", "123456789")});
  archive[30 + 1 + 3 + 4] ^= 1;
  EXPECT_THAT(refused(archive), HasSubstr("member 'a' is damaged: its checksum is wrong"));
  Entry wrong = deflated("b", kRepeatingPacked, kRepeating);
  wrong.crc ^= 0x80000000;
  EXPECT_THAT(refused(zip({wrong})), HasSubstr("member 'b' is damaged: its checksum is wrong"));
}

TEST(Zip, RefusesDeflateStreamsOfAnotherLength) {
  for (const std::size_t announced :
       {std::size_t{0}, kRepeating.size() - 1, kRepeating.size() + 1, std::size_t{4000}}) {
    Entry entry = deflated("b", kRepeatingPacked, kRepeating);
    entry.unpacked = announced;
    EXPECT_THAT(refused(zip({entry})),
                HasSubstr("it does not unpack to the " + std::to_string(announced) + " bytes it announces"));
  }
  EXPECT_THAT(refused(zip({deflated("b", kRepeatingPacked.substr(0, 10), kRepeating)})), HasSubstr("does not unpack"));
  EXPECT_THAT(refused(zip({deflated("b", "\x07rubbish", "12345678")})), HasSubstr("does not unpack"));
}

TEST(Zip, RefusesSizesNoArchiveOfThisLengthCanHold) {
  Entry bomb = deflated("bomb", kZerosPacked, "");
  bomb.unpacked = 0xfffffffe;
  EXPECT_THAT(refused(zip({bomb})), HasSubstr("member 'bomb' cannot be 4294967294 bytes long, stored as 20 bytes"));
  bomb.zip64 = true;
  bomb.unpacked = std::uint64_t{1} << 62;
  EXPECT_THAT(refused(zip({bomb}, {true, ""})), HasSubstr("cannot be 4611686018427387904 bytes long"));
  Entry longer = stored("longer", "123");
  longer.unpacked = 4;
  EXPECT_THAT(refused(zip({longer})), HasSubstr("cannot be 4 bytes long, stored as 3"));
}

TEST(Zip, RefusesArchivesThatUnpackBeyondMemory) {
  const std::vector<ZipMember> small = list(zip({deflated("a", kRepeatingPacked, kRepeating)}));
  EXPECT_NO_THROW(check_memory(small, "x.npz"));
  std::vector<ZipMember> bombs(4, small[0]);
  for (ZipMember& member : bombs) member.unpacked_bytes = ~std::uint64_t{0} / 2;  // their sum overflows
  EXPECT_THAT(refusal("x.npz", [&] { check_memory(bombs, "x.npz"); }), HasSubstr("more than this machine's memory"));
  for (ZipMember& member : bombs) member.method = 0;  // views into the file need none
  EXPECT_NO_THROW(check_memory(bombs, "x.npz"));
}

TEST(Zip, RefusesDirectoriesThatLie) {
  const Entry entry = stored("a", "x");
  const std::string body = local_header(entry) + entry.packed, directory = directory_entry(entry, 0);
  const auto archive = [&](std::uint64_t entries, std::uint64_t bytes, std::uint64_t offset) {
    return body + directory + end_record(entries, bytes, offset);
  };
  EXPECT_THAT(contents(archive(1, directory.size(), body.size())), ::testing::ElementsAre("x"));
  EXPECT_THAT(refused(archive(2, directory.size(), body.size())), HasSubstr("too short for the 2 members"));
  EXPECT_THAT(refused(archive(1, directory.size(), 1000)), HasSubstr("points outside the file"));
  EXPECT_THAT(refused(archive(1, 1000, body.size())), HasSubstr("points outside the file"));
  EXPECT_THAT(refused(archive(1, directory.size(), body.size() - 1)),
              HasSubstr("entry 0 of its directory is no entry"));
  EXPECT_THAT(refused(archive(1, directory.size() - 1, body.size())), HasSubstr("its directory is cut off"));
}

TEST(Zip, RefusesHeadersThatAreNotWhereTheDirectorySays) {
  Entry entry = stored("a", "x");
  entry.at = 1;
  EXPECT_THAT(refused(zip({entry})), HasSubstr("the header of member 'a' is not where the directory says"));
  entry.at = 0xfffffff0;
  EXPECT_THAT(refused(zip({entry})), HasSubstr("points outside the file"));
  entry.zip64 = true;
  entry.at = ~std::uint64_t{0} - 3;
  EXPECT_THAT(refused(zip({entry})), HasSubstr("points outside the file"));
}

TEST(Zip, RefusesWhatIsNoPlainArchive) {
  Entry encrypted = stored("a", "x"), exotic = stored("b", "x");
  encrypted.flags = 1;
  exotic.method = 12;
  EXPECT_THAT(refused(zip({encrypted})), HasSubstr("member 'a' is encrypted"));
  EXPECT_THAT(refused(zip({exotic})), HasSubstr("member 'b' is compressed by method 12"));
  EXPECT_THAT(refused(zip({stored("a", "x"), stored("a", "y")})), HasSubstr("two members named 'a'"));
}

}  // namespace
}  // namespace mpq::data::testing
