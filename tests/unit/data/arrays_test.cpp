#include "data/arrays.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support/folder.h"
#include "archive.h"
#include "models.h"

namespace mpq::data::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

NpyArray array(const std::string& file) { return parse_npy(bytes_of(file), "x", "x.npz"); }

const std::string kImages = npy("<f4", "(3, 2)", raw<float>({0, 1, 2, 3, 4, 5}));
const std::string kIds = npy("<i4", "(3,)", raw<std::int32_t>({7, 8, 9}));

std::string refused(const NamedArrays& arrays, const Model& model) {
  return refusal("x.npz", [&] { feeds_of(arrays, model, 0, "x.npz"); });
}

TEST(FeedsOf, TheSampleAxisIsTheBatchAxisOfAnArrayOfTheSameRank) {
  const std::vector<Feed> feeds = feeds_of({{"x", array(kImages)}}, pair_model(), 0, "x.npz");
  ASSERT_THAT(feeds, SizeIs(3));
  EXPECT_THAT(feeds[2].at("x").shape(), ElementsAre(1, 2));
  EXPECT_THAT(feeds[2].at("x").as<float>(), ElementsAre(4, 5));
}

TEST(FeedsOf, AnArrayOfOneRankMoreLosesTheSampleAxis) {
  const std::vector<Feed> feeds = feeds_of({{"x", array(kImages)}}, pair_model("2"), 0, "x.npz");
  ASSERT_THAT(feeds, SizeIs(3));
  EXPECT_THAT(feeds[1].at("x").shape(), ElementsAre(2));
  EXPECT_THAT(feeds[1].at("x").as<float>(), ElementsAre(2, 3));
}

TEST(FeedsOf, EveryInputGetsItsTypeAndTheRestIsIgnored) {
  const std::vector<Feed> feeds =
      feeds_of({{"image", array(kImages)}, {"ids", array(kIds)}, {"more", array(kIds)}}, two_input_model(), 2, "x.npz");
  ASSERT_THAT(feeds, SizeIs(2));
  ASSERT_THAT(feeds[1], SizeIs(2));
  EXPECT_EQ(feeds[1].at("ids").type(), DType::kInt64);
  EXPECT_THAT(feeds[1].at("ids").as<std::int64_t>(), ElementsAre(8));
}

TEST(FeedsOf, RefusesRanksThatDoNotFit) {
  EXPECT_THAT(refused({{"x", array(npy("<f4", "(1, 1, 1, 2)", raw<float>({1, 2})))}}, pair_model()),
              HasSubstr("takes float32 [N, 2], but the array 'x' has the shape [1, 1, 1, 2]"));
  EXPECT_THAT(refused({{"x", array(npy("<f4", "()", raw<float>({1})))}}, pair_model()),
              HasSubstr("is a single number without a sample axis"));
}

TEST(FeedsOf, NamesTheSampleThatDoesNotFit) {
  const NpyArray infinite = array(npy("<f4", "(2, 2)", raw<float>({0, 0, 0, INFINITY})));
  EXPECT_THAT(refused({{"x", infinite}}, pair_model()), HasSubstr("Sample 1 of the array 'x' holds a NaN"));
}

TEST(FeedsOf, RefusesUnequalNumbersOfSamples) {
  const NpyArray ids = array(npy("<i8", "(2,)", raw<std::int64_t>({1, 2})));
  EXPECT_THAT(refused({{"image", array(kImages)}, {"ids", ids}}, two_input_model()),
              HasSubstr("'image' has 3, 'ids' has 2"));
}

TEST(FeedsOf, RefusesDataWithoutSamples) {
  EXPECT_THAT(refused({{"x", array(npy("<f4", "(0, 2)", ""))}}, pair_model()), HasSubstr("holds no samples"));
}

// A header may announce any number of rows that hold nothing.
TEST(FeedsOf, RefusesSamplesOfNothing) {
  const Model model = pair_model("N,M");
  for (const char* shape : {"(4611686018427387904, 0)", "(1000000000000, 0)", "(3, 0)"}) {
    EXPECT_THAT(refused({{"x", array(npy("<f4", shape, ""))}}, model), HasSubstr("holds no numbers")) << shape;
  }
}

TEST(FeedsOf, AnInputMayBeEmptyBesideOthersThatAreNot) {
  const Model model = model_with(
      "g (float[N,2] x, float[N,P] past) => (float[N,2] y, float[N,P] z) "
      "{ y = Identity(x)  z = Identity(past) }");
  const std::vector<Feed> feeds =
      feeds_of({{"x", array(kImages)}, {"past", array(npy("<f4", "(3, 0)", ""))}}, model, 0, "x.npz");
  ASSERT_THAT(feeds, SizeIs(3));
  EXPECT_THAT(feeds[0].at("past").shape(), ElementsAre(1, 0));
}

TEST(CheckNames, NamesWhatIsMissingAndWhatThereIs) {
  EXPECT_NO_THROW(check_names({"ids", "other", "image"}, two_input_model(), "x.npz"));
  const auto missing = [](const std::vector<std::string>& found) {
    return refusal("x.npz", [&] { check_names(found, two_input_model(), "x.npz"); });
  };
  EXPECT_THAT(missing({"ids", "picture"}),
              HasSubstr("no array for the model's input 'image' ('image' takes float32 [N, 2]); it has"));
  EXPECT_THAT(missing({}), HasSubstr("it has none."));
  EXPECT_THAT(missing({}), HasSubstr("'ids'"));
}

class Npz : public ::testing::Test {
 protected:
  std::string write(const std::vector<Entry>& entries) const {
    const std::string path = folder_.file("data.npz");
    put(path, zip(entries));
    return path;
  }
  TemporaryFolder folder_;
};

TEST_F(Npz, OpensTheArraysTheModelAsksFor) {
  const std::string path =
      write({stored("ids.npy", kIds), stored("readme.txt", "hello"),
             deflated("image.npy", deflated_plainly(kImages), kImages), stored("other.npy", "no array at all")});
  const NamedArrays arrays = open_npz(path, two_input_model());
  ASSERT_THAT(arrays, SizeIs(2));
  EXPECT_THAT(arrays.at("image").shape, ElementsAre(3, 2));
  EXPECT_THAT(whole(arrays.at("ids")).as<std::int32_t>(), ElementsAre(7, 8, 9));
}

TEST_F(Npz, RefusesArchivesWithoutAnInput) {
  const std::string path = write({stored("ids.npy", kIds), stored("image.txt", kImages)});
  EXPECT_THAT(refusal(path, [&] { open_npz(path, two_input_model()); }), HasSubstr("no array for the model's input"));
}

TEST_F(Npz, RefusesPickledArrays) {
  const std::string path = write({stored("x.npy", npy("|O", "(1,)", "\x80\x04K\x01."))});
  EXPECT_THAT(refusal(path, [&] { open_npz(path, pair_model()); }), HasSubstr("Python objects"));
}

TEST_F(Npz, RefusesDamagedMembers) {
  Entry damaged = stored("x.npy", kImages);
  damaged.crc ^= 1;
  const std::string path = write({damaged});
  EXPECT_THAT(refusal(path, [&] { open_npz(path, pair_model()); }), HasSubstr("its checksum is wrong"));
}

}  // namespace
}  // namespace mpq::data::testing
