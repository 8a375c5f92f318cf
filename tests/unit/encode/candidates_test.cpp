#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../quantize/layers.h"
#include "encode/encode.h"

namespace mpq::encode {
namespace {

using testing::ElementsAre;

const std::vector<std::string> kAllForms = {"blocks", "trellis", "grid"};

std::vector<std::string> names(const Layer& layer, const std::vector<int>& bits,
                               const std::vector<std::string>& forms = {"blocks", "grid"}) {
  std::vector<std::string> result;
  for (const Candidate& candidate : candidates_for(layer, bits, forms)) result.push_back(to_string(candidate));
  return result;
}

TEST(CandidatesFor, RiseInBytesAndEndWithFloat) {
  const Layer product = test_layer({256, 24}, {1}, 0);
  const std::vector<Candidate> all = candidates_for(product, {2, 3, 4, 5, 6, 7, 8, 16}, kAllForms);
  for (std::size_t i = 1; i < all.size(); ++i)
    EXPECT_LE(stored_bytes(product, all[i - 1]), stored_bytes(product, all[i]));
  EXPECT_EQ(all.back(), Candidate{});
}

TEST(CandidatesFor, AreTheWidthsAskedFor) {
  EXPECT_THAT(names(test_layer({8, 4, 3, 3}, {0}), {8, 2, 5, 16}),
              ElementsAre("2bit", "5bit", "8bit", "half", "float"));
  EXPECT_THAT(names(test_layer({8, 4, 3, 3}, {0}), {}), ElementsAre("float"));
  EXPECT_THAT(names(test_layer({8, 4, 3, 3}, {0}), {1, 9, 32}), ElementsAre("float"));
}

TEST(CandidatesFor, BlocksWhereTheyPay) {
  EXPECT_THAT(names(test_layer({256, 24}, {1}, 0), {2, 3, 6, 8}),
              ElementsAre("2bit", "3bit", "3bit/b64", "6bit", "6bit/b64", "8bit", "float"));
  EXPECT_THAT(names(test_layer({96, 24}, {1}, 0), {4}), ElementsAre("4bit", "float")) << "no multiple of the block";
  EXPECT_THAT(names(test_layer({64, 24}, {1}, 0), {4}), ElementsAre("4bit", "float")) << "one block is a channel";
  EXPECT_THAT(names(test_layer({256, 24}, {1}), {4}), ElementsAre("4bit", "float")) << "no axis for blocks";
  Layer recurrent = test_layer({256, 24}, {1}, 0);
  recurrent.op = "LSTM";
  EXPECT_THAT(names(recurrent, {4}), ElementsAre("4bit", "float"));
}

TEST(CandidatesFor, NoBlocksUnlessAskedFor) {
  EXPECT_THAT(names(test_layer({256, 64}, {1}, 0), {3}, {"trellis", "grid"}), ElementsAre("3bit", "float"));
}

TEST(CandidatesFor, HalvesAreNoGainOverHalves) {
  EXPECT_THAT(names(test_layer({8, 4}, {1}, 0, "float64"), {16}), ElementsAre("half", "float"));
  EXPECT_THAT(names(test_layer({8, 4}, {1}, 0, "float16"), {16}), ElementsAre("float"));
  EXPECT_THAT(names(test_layer({8, 4}, {1}, 0, "bfloat16"), {16}), ElementsAre("float"));
}

}  // namespace
}  // namespace mpq::encode
