#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "mpq/tensor.h"

namespace mpq {

/// Elements [first, first + out.size()) of any numeric tensor as doubles. Exact but for 64-bit integers above 2^53.
/// Throws Error{kInvalidInput} for strings.
void read_doubles(const Tensor& tensor, std::size_t first, std::span<double> out);

/// Elements one pass looks at: small enough for the first-level cache, so that no pass needs memory of a tensor's size.
inline constexpr std::size_t kChunk = 1024;

/// Calls visit(values) for the tensor's elements in order, at most kChunk at a time.
template <typename Visit>
void for_each_chunk(const Tensor& tensor, const Visit& visit) {
  std::array<double, kChunk> buffer;
  const auto count = static_cast<std::size_t>(tensor.size());
  for (std::size_t first = 0; first < count; first += kChunk) {
    const std::span<double> part(buffer.data(), std::min(kChunk, count - first));
    read_doubles(tensor, first, part);
    visit(std::span<const double>(part));
  }
}

/// The same for two tensors of one size side by side; their types may differ.
template <typename Visit>
void for_each_chunk(const Tensor& a, const Tensor& b, const Visit& visit) {
  std::array<double, kChunk> buffer_a, buffer_b;
  const auto count = static_cast<std::size_t>(a.size());
  for (std::size_t first = 0; first < count; first += kChunk) {
    const std::size_t n = std::min(kChunk, count - first);
    const std::span<double> part_a(buffer_a.data(), n), part_b(buffer_b.data(), n);
    read_doubles(a, first, part_a);
    read_doubles(b, first, part_b);
    visit(std::span<const double>(part_a), std::span<const double>(part_b));
  }
}

}  // namespace mpq
