#include "data/images.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support/folder.h"
#include "bytes.h"
#include "data/image_file.h"
#include "models.h"

namespace mpq::data::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;
using ::testing::SizeIs;

struct Pixel {
  int red, green, blue;
};

/// An uncompressed 24-bit BMP: rows from the bottom up, pixels as blue, green, red, rows padded to four bytes.
std::string bmp(std::size_t width, std::size_t height, const std::vector<Pixel>& pixels) {
  std::string rows;
  for (std::size_t y = height; y-- > 0;) {
    std::string row;
    for (std::size_t x = 0; x < width; ++x) {
      const Pixel& pixel = pixels[y * width + x];
      for (const int value : {pixel.blue, pixel.green, pixel.red}) row += static_cast<char>(value);
    }
    while (row.size() % 4 != 0) row += '\0';
    rows += row;
  }
  return "BM" + little(54 + rows.size(), 4) + little(0, 4) + little(54, 4) + little(40, 4) + little(width, 4) +
         little(height, 4) + little(1, 2) + little(24, 2) + little(0, 4) + little(rows.size(), 4) + little(2835, 4) +
         little(2835, 4) + little(0, 8) + rows;
}

const std::string kTwoByOne = bmp(2, 1, {{255, 0, 51}, {0, 255, 102}});

class Images : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& bytes) const {
    const std::filesystem::path path = folder_.file(name);
    std::filesystem::create_directories(path.parent_path());
    put(path.string(), bytes);
  }
  std::vector<Feed> feeds(const Model& model, const std::string& preset = "unit", std::int64_t limit = 0) const {
    SamplesOptions options;
    options.image_preset = preset;
    options.limit = limit;
    return feeds_of_images(folder_.path(), model, options);
  }
  TemporaryFolder folder_;
};

TEST_F(Images, AreDecodedRowByRow) {
  write("a.bmp", bmp(1, 2, {{1, 2, 3}, {4, 5, 6}}));
  const Image image = read_image(folder_.file("a.bmp"), 3);
  EXPECT_EQ(image.width, 1);
  EXPECT_EQ(image.height, 2);
  EXPECT_THAT(image.values, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(Images, GoToChannelsFirst) {
  write("a.bmp", kTwoByOne);
  const Feed feed = feeds(pair_model("N,3,1,2"))[0];
  EXPECT_THAT(feed.at("x").shape(), ElementsAre(1, 3, 1, 2));
  EXPECT_THAT(feed.at("x").as<float>(), ElementsAre(1, 0, 0, 1, FloatEq(0.2F), FloatEq(0.4F)));
}

TEST_F(Images, GoToChannelsLast) {
  write("a.bmp", kTwoByOne);
  const Feed feed = feeds(pair_model("N,1,2,3"), "unit")[0];
  // [N, 1, 2, 3]: one channel first is a layout of its own, and is tried first.
  EXPECT_THAT(feed.at("x").shape(), ElementsAre(1, 1, 2, 3));
  const Feed last = feeds(pair_model("N,2,4,3"), "unit")[0];
  EXPECT_THAT(last.at("x").shape(), ElementsAre(1, 2, 4, 3));
  EXPECT_THAT(std::vector<float>(last.at("x").as<float>().begin(), last.at("x").as<float>().begin() + 3),
              ElementsAre(1, 0, FloatEq(0.2F)));
}

TEST_F(Images, PresetsScaleThem) {
  write("a.bmp", bmp(1, 1, {{255, 0, 51}}));
  const Model model = pair_model("N,3,1,1");
  EXPECT_THAT(feeds(model, "minus1to1")[0].at("x").as<float>(), ElementsAre(1, -1, FloatEq(-0.6F)));
  // torchvision's Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
  for (const char* preset : {"imagenet", ""}) {
    EXPECT_THAT(feeds(model, preset)[0].at("x").as<float>(),
                ElementsAre(FloatEq(2.2489083F), FloatEq(-2.0357144F), FloatEq(-0.9155556F)));
  }
  try {
    feeds(model, "caffe");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("no image preset 'caffe'"));
  }
}

TEST_F(Images, BytesStayBytes) {
  write("a.bmp", kTwoByOne);
  const Feed feed = feeds(model_with("g (uint8[N,3,1,2] x) => (uint8[N,3,1,2] y) { y = Identity(x) }"), "imagenet")[0];
  EXPECT_THAT(feed.at("x").as<std::uint8_t>(), ElementsAre(255, 0, 0, 255, 51, 102));
}

TEST_F(Images, FreeExtentsAreThoseOfTheFirstImage) {
  write("a.bmp", kTwoByOne);
  write("b.bmp", bmp(1, 1, {{255, 255, 255}}));
  const std::vector<Feed> found = feeds(pair_model("N,3,H,W"));
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[1].at("x").shape(), ElementsAre(1, 3, 1, 2));
  EXPECT_THAT(found[1].at("x").as<float>(), ElementsAre(1, 1, 1, 1, 1, 1));
}

TEST_F(Images, AreFoundInSubfoldersInOrder) {
  EXPECT_FALSE(holds_images(folder_.path()));
  write("z.bmp", bmp(1, 1, {{255, 255, 255}}));
  write("class/A.BMP", bmp(1, 1, {{0, 0, 0}}));
  write("notes.txt", "no image");
  EXPECT_TRUE(holds_images(folder_.path()));
  const std::vector<Feed> found = feeds(pair_model("N,1,1,1"));
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[0].at("x").as<float>(), ElementsAre(0));
  EXPECT_THAT(found[1].at("x").as<float>(), ElementsAre(1));
  EXPECT_THAT(feeds(pair_model("N,1,1,1"), "unit", 1), SizeIs(1));
}

TEST_F(Images, RefuseModelsTheyCannotFeed) {
  write("a.bmp", kTwoByOne);
  for (const char* shape : {"N,2", "N,4,8,8", "N,3,8"}) {
    EXPECT_THAT(refusal(folder_.path(), [&] { feeds(pair_model(shape)); }), HasSubstr("Images cannot feed this model"));
  }
  EXPECT_THAT(refusal(folder_.path(), [&] { feeds(two_input_model()); }), HasSubstr("it has 2 input(s)"));
}

TEST_F(Images, RefuseFilesThatAreNone) {
  for (const std::string& bytes : {std::string("no picture"), std::string(), kTwoByOne.substr(0, 30)}) {
    write("a.png", bytes);
    EXPECT_THAT(refusal(folder_.file("a.png"), [&] { feeds(pair_model("N,3,1,2")); }), HasSubstr("cannot be decoded"));
  }
}

}  // namespace
}  // namespace mpq::data::testing
