#include "encode/nearest_grids.h"

#include <gmock/gmock.h>

#include "../graph/parsed_model.h"
#include "quantize/quantize_weight.h"

namespace mpq::encode {
namespace {

using graph::testing::model_of;

/// The same integers, scales and entries.
bool equal(const quant::QuantizedTensor& a, const quant::QuantizedTensor& b) {
  return a.candidate == b.candidate && a.values == b.values && a.scales == b.scales && a.entries == b.entries &&
         a.scale_multiplier == b.scale_multiplier;
}

TEST(NearestGrids, AreWhatRoundingAnewGivesWithRoomAndWithout) {
  const Model model = model_of(R"(
      g (float[2,32] x) => (float[2,8] y) <float[32,16] v = {0}, float[16,8] w = {0}> { h = MatMul(x, v) y = MatMul(h, w) })");
  ASSERT_EQ(model.layers().size(), 2u);
  const std::vector<Candidate> candidates = {{4, "grid", 0}, {3, "trellis", 0}, {4, "grid", 0}, {2, "grid", 0}};
  for (const std::int64_t room : {std::int64_t{1} << 20, std::int64_t{600}, std::int64_t{0}}) {
    NearestGrids grids(model, room);
    for (int again = 0; again < 2; ++again) {
      for (std::size_t layer = 0; layer < 2; ++layer) {
        for (const Candidate& candidate : candidates) {
          for (const quant::ScaleFit fit : {quant::ScaleFit::kMse, quant::ScaleFit::kMinMax}) {
            const quant::QuantizedTensor expected =
                quant::quantize_weight(model.weight(layer), model.layers()[layer], candidate, fit);
            EXPECT_TRUE(equal(grids.of(layer, candidate, fit, 1), expected)) << layer << " " << to_string(candidate);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace mpq::encode
