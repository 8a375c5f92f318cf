#include "quantize/rows.h"

#include <algorithm>

#include <Eigen/Core>

namespace mpq::quant {

namespace {

struct Axis {
  std::size_t extent;
  std::size_t stride;
};

/// Offsets of every index combination of `axes` (outermost first), in C order.
std::vector<std::size_t> offsets_over(const std::vector<Axis>& axes) {
  std::vector<std::size_t> offsets{0};
  for (const Axis& axis : axes) {
    std::vector<std::size_t> finer;
    finer.reserve(offsets.size() * axis.extent);
    for (const std::size_t offset : offsets) {
      for (std::size_t i = 0; i < axis.extent; ++i) finer.push_back(offset + i * axis.stride);
    }
    offsets = std::move(finer);
  }
  return offsets;
}

/// Joins neighbouring axes that are one run in memory: [.., a, b] with stride(a) = b * stride(b).
std::vector<Axis> joined(const std::vector<Axis>& axes) {
  std::vector<Axis> result;
  for (const Axis& axis : axes) {
    if (axis.extent == 1) continue;
    if (!result.empty() && result.back().stride == axis.extent * axis.stride) {
      result.back() = {result.back().extent * axis.extent, axis.stride};
    } else {
      result.push_back(axis);
    }
  }
  return result;
}

}  // namespace

Rows::Rows(const ScaleLayout& layout) {
  std::vector<Axis> outer;
  std::vector<Axis> inner;
  std::size_t stride = 1;
  for (std::size_t axis = layout.view_shape.size(); axis-- > 0;) {
    const auto extent = static_cast<std::size_t>(layout.view_shape[axis]);
    const bool shared = layout.scale_shape[axis] == 1;
    (shared ? inner : outer).push_back({extent, stride});
    stride *= extent;
  }
  std::reverse(outer.begin(), outer.end());
  std::reverse(inner.begin(), inner.end());
  bases_ = offsets_over(outer);
  inner = joined(inner);
  if (!inner.empty()) {
    run_length_ = inner.back().extent;
    run_stride_ = inner.back().stride;
    inner.pop_back();
  }
  run_offsets_ = offsets_over(inner);
}

void add_squares(const Rows& rows, std::span<const float> tensor, std::vector<double>& sums) {
  constexpr std::size_t kSideBySide = 64;  // as many neighbouring rows share cache lines
  const std::size_t length = rows.length();
  std::vector<float> numbers(kSideBySide * length);
  sums.resize(rows.count(), 0.0);
  for (std::size_t first = 0; first < rows.count(); first += kSideBySide) {
    const std::size_t count = std::min(kSideBySide, rows.count() - first);
    rows.gather(tensor, first, count, numbers.data());
    for (std::size_t r = 0; r < count; ++r) {
      const Eigen::Map<const Eigen::VectorXf> row(numbers.data() + r * length, static_cast<Eigen::Index>(length));
      sums[first + r] += static_cast<double>(row.squaredNorm());
    }
  }
}

}  // namespace mpq::quant
