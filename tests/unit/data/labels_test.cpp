#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/samples.h"

#include "../support/folder.h"
#include "bytes.h"

namespace mpq::data::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Labels : public ::testing::Test {
 protected:
  std::vector<std::int64_t> load(const std::string& file) const {
    put(path_, file);
    return load_labels(path_);
  }
  std::string refused(const std::string& file) const {
    return refusal(path_, [&] { load(file); });
  }
  TemporaryFolder folder_;
  std::string path_ = folder_.file("labels.npy");
};

TEST_F(Labels, AreReadFromEveryIntegerType) {
  EXPECT_THAT(load(npy("<i8", "(3,)", raw<std::int64_t>({2, 0, 999}))), ElementsAre(2, 0, 999));
  EXPECT_THAT(load(npy("|u1", "(2,)", "\x07\xff")), ElementsAre(7, 255));
  EXPECT_THAT(load(npy(">i2", "(2,)", big(1, 2) + big(300, 2))), ElementsAre(1, 300));
  EXPECT_THAT(load(npy("<i8", "(0,)", "")), ElementsAre());
}

TEST_F(Labels, RefuseOtherArrays) {
  EXPECT_THAT(refused(npy("<f4", "(2,)", raw<float>({1, 2}))), HasSubstr("The labels are a float32 [2] array."));
  EXPECT_THAT(refused(npy("<i4", "(1, 2)", raw<std::int32_t>({1, 2}))), HasSubstr("a int32 [1, 2] array"));
  EXPECT_THAT(refused(npy("<i4", "()", raw<std::int32_t>({1}))), HasSubstr("a int32 [] array"));
  EXPECT_THAT(refused("1 2 3"), HasSubstr("not in NumPy's .npy format"));
}

TEST_F(Labels, RefuseWhatIsNoClassNumber) {
  EXPECT_THAT(refused(npy("<i4", "(2,)", raw<std::int32_t>({1, -5}))), HasSubstr("Label 1 is -5."));
  EXPECT_THAT(refused(npy("<u8", "(1,)", std::string(8, '\xff'))), HasSubstr("Label 0 is no class number."));
}

}  // namespace
}  // namespace mpq::data::testing
