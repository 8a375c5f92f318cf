#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace mpq {

/// Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011). A stream is keyed by what it is for,
/// so the same trial draws the same noise in any order and on any thread.
class Philox {
 public:
  explicit Philox(std::uint64_t key, std::uint64_t stream = 0);
  /// Block `index` of the stream: four independent 32-bit words.
  std::array<std::uint32_t, 4> block(std::uint64_t index) const;

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint64_t stream_;
};

/// Mixes a seed with named parts ("layer name", trial, ...) into a stream key. Order matters.
std::uint64_t mix_key(std::uint64_t seed, std::string_view part);
std::uint64_t mix_key(std::uint64_t seed, std::uint64_t part);

/// Standard normal / uniform on [-1, 1) / +-1, one per element, from blocks 0, 1, ... of the stream.
void fill_gaussian(const Philox& stream, std::span<float> out);
void fill_uniform(const Philox& stream, std::span<float> out);
void fill_rademacher(const Philox& stream, std::span<float> out);

}  // namespace mpq
