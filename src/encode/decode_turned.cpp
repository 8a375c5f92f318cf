#include <numeric>

#include "encode/unpack_call.h"

// turned_axes.cpp read backwards.

namespace mpq::encode {

namespace {

/// Numbers of [extents] as C order of the axes permuted.
std::vector<std::int8_t> transposed(const std::vector<std::int8_t>& numbers, const Extents& extents,
                                    const Extents& permutation, const Extents& shape) {
  Extents strides(extents.size(), 1);
  for (std::size_t axis = extents.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * extents[axis];
  std::vector<std::int8_t> result(numbers.size());
  Extents index(shape.size(), 0);
  for (std::int8_t& number : result) {
    std::int64_t place = 0;
    for (std::size_t axis = 0; axis < index.size(); ++axis) {
      place += index[axis] * strides[static_cast<std::size_t>(permutation[axis])];
    }
    number = numbers[static_cast<std::size_t>(place)];
    for (std::size_t axis = index.size(); axis-- > 0 && ++index[axis] == shape[axis];) index[axis] = 0;
  }
  return result;
}

bool is_permutation(Extents axes) {
  std::sort(axes.begin(), axes.end());
  Extents all(axes.size());
  std::iota(all.begin(), all.end(), std::int64_t{0});
  return axes == all;
}

}  // namespace

ShapedNumbers turned_back(const UnpackCall& call, ShapedNumbers stored) {
  if (call.attribute("turned") == nullptr) return stored;
  const Extents permutation = call.integers("perm");
  if (permutation.size() != stored.shape.size() || !is_permutation(permutation))
    call.fail("has axes in no known order");
  Extents shape;
  for (const std::int64_t axis : permutation) shape.push_back(stored.shape[static_cast<std::size_t>(axis)]);
  return {shape, transposed(stored.numbers, stored.shape, permutation, shape)};
}

}  // namespace mpq::encode
