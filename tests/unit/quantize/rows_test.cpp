#include "quantize/rows.h"

#include <map>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers.h"

namespace mpq::quant {
namespace {

using testing::ElementsAre;

/// Rows found the slow way: walk all view indices and sort elements by the scale they broadcast with.
std::map<std::int64_t, std::vector<int>> rows_by_definition(const ScaleLayout& layout) {
  const std::size_t rank = layout.view_shape.size();
  std::int64_t total = 1;
  for (const std::int64_t extent : layout.view_shape) total *= extent;
  std::map<std::int64_t, std::vector<int>> rows;
  for (std::int64_t element = 0; element < total; ++element) {
    std::int64_t rest = element;
    std::int64_t row = 0;
    std::int64_t row_stride = 1;
    for (std::size_t axis = rank; axis-- > 0;) {
      const std::int64_t index = rest % layout.view_shape[axis];
      rest /= layout.view_shape[axis];
      if (layout.scale_shape[axis] != 1) row += index * row_stride;
      row_stride *= layout.scale_shape[axis];
    }
    rows[row].push_back(static_cast<int>(element));
  }
  return rows;
}

struct Case {
  std::vector<std::int64_t> shape;
  std::vector<int> channel_axes;
  int block_axis;
  int block;
};

class RowsOf : public testing::TestWithParam<Case> {};

TEST_P(RowsOf, GatherAndScatterFollowTheDefinition) {
  const Case& p = GetParam();
  const ScaleLayout layout = scale_layout(test_layer(p.shape, p.channel_axes, p.block_axis), grid(4, p.block));
  const Rows rows(layout);
  const auto expected = rows_by_definition(layout);
  ASSERT_EQ(rows.count(), expected.size());
  std::vector<int> tensor(rows.count() * rows.length());
  std::iota(tensor.begin(), tensor.end(), 0);
  std::vector<int> back(tensor.size(), -1);
  for (std::size_t first = 0; first < rows.count(); first += 3) {
    const std::size_t n = std::min<std::size_t>(3, rows.count() - first);
    std::vector<int> gathered(n * rows.length());
    rows.gather<int>(tensor, first, n, gathered.data());
    for (std::size_t r = 0; r < n; ++r) {
      const auto begin = gathered.begin() + static_cast<std::ptrdiff_t>(r * rows.length());
      const std::vector<int> row(begin, begin + static_cast<std::ptrdiff_t>(rows.length()));
      EXPECT_EQ(row, expected.at(static_cast<std::int64_t>(first + r)));
    }
    rows.scatter<int>(gathered.data(), first, n, back);
  }
  EXPECT_EQ(back, tensor);
}

INSTANTIATE_TEST_SUITE_P(Layouts, RowsOf,
                         testing::Values(Case{{8, 3, 2, 2}, {0}, -1, 0},    // Conv
                                         Case{{3, 8, 2, 2}, {1}, -1, 0},    // ConvTranspose
                                         Case{{6, 5}, {1}, 0, 0},           // MatMul
                                         Case{{6, 5}, {0}, 1, 0},           // Gemm, transposed
                                         Case{{2, 6, 5}, {0, 2}, 1, 0},     // batched MatMul
                                         Case{{8, 5}, {1}, 0, 4},           // blocks down the columns
                                         Case{{5, 8}, {0}, 1, 4},           // blocks along the rows
                                         Case{{2, 3, 4, 5}, {1, 3}, 2, 2},  // all at once
                                         Case{{6, 5}, {}, -1, 0},           // one scale
                                         Case{{6, 5}, {0, 1}, -1, 0},       // a scale for every weight
                                         Case{{1, 7, 1}, {0}, -1, 0}, Case{{7}, {0}, -1, 0}, Case{{7}, {}, -1, 0}));

TEST(Rows, EmptyTensorHasNothingToGather) {
  const Rows rows(scale_layout(test_layer({4, 0}, {0}), grid(4)));
  EXPECT_EQ(rows.count(), 4U);
  EXPECT_EQ(rows.length(), 0U);
}

}  // namespace
}  // namespace mpq::quant
