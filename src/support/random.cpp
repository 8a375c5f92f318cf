#include "support/random.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace mpq {
namespace {

// Constants of Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 4.3.
constexpr std::uint32_t kMultiplier0 = 0xD2511F53u, kMultiplier1 = 0xCD9E8D57u;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9u, kWeyl1 = 0xBB67AE85u;
constexpr int kRounds = 10;

std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

/// Finalizer of SplitMix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit.
std::uint64_t scramble(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// Calls fill(block, first, n) for consecutive groups of `per_block` elements of `out`.
template <typename Fill>
void by_blocks(const Philox& stream, std::span<float> out, std::size_t per_block, const Fill& fill) {
  std::uint64_t index = 0;
  for (std::size_t first = 0; first < out.size(); first += per_block, ++index)
    fill(stream.block(index), out.subspan(first, std::min(per_block, out.size() - first)));
}

}  // namespace

Philox::Philox(std::uint64_t key, std::uint64_t stream) : key_{low(key), high(key)}, stream_(stream) {}

std::array<std::uint32_t, 4> Philox::block(std::uint64_t index) const {
  std::array<std::uint32_t, 4> counter{low(index), high(index), low(stream_), high(stream_)};
  std::uint32_t key0 = key_[0], key1 = key_[1];
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t product0 = std::uint64_t{kMultiplier0} * counter[0];
    const std::uint64_t product1 = std::uint64_t{kMultiplier1} * counter[2];
    counter = {high(product1) ^ counter[1] ^ key0, low(product1), high(product0) ^ counter[3] ^ key1, low(product0)};
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return counter;
}

std::uint64_t mix_key(std::uint64_t seed, std::uint64_t part) { return scramble(scramble(seed) ^ part); }

std::uint64_t mix_key(std::uint64_t seed, std::string_view part) {
  std::uint64_t hash = 0xCBF29CE484222325u;  // FNV-1a, 64 bits
  for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  // The length keeps texts apart from numbers that happen to equal their hash.
  return mix_key(mix_key(seed, hash), std::uint64_t{part.size()} + 1);
}

void fill_gaussian(const Philox& stream, std::span<float> out) {
  // Box and Muller 1958. Half a step is added so that the logarithm never meets 0.
  const auto pair = [](std::uint32_t a, std::uint32_t b) {
    const float radius = std::sqrt(-2.0F * std::log((static_cast<float>(a) + 0.5F) * 0x1p-32F));
    const float angle = static_cast<float>(b) * 0x1p-32F * (2.0F * std::numbers::pi_v<float>);
    return std::array<float, 2>{radius * std::cos(angle), radius * std::sin(angle)};
  };
  by_blocks(stream, out, 4, [&](const std::array<std::uint32_t, 4>& words, std::span<float> part) {
    const auto first = pair(words[0], words[1]);
    const auto second = pair(words[2], words[3]);
    const std::array<float, 4> values{first[0], first[1], second[0], second[1]};
    std::copy_n(values.begin(), part.size(), part.begin());
  });
}

void fill_uniform(const Philox& stream, std::span<float> out) {
  by_blocks(stream, out, 4, [](const std::array<std::uint32_t, 4>& words, std::span<float> part) {
    // The upper 24 bits: every value of [-1, 1) in steps of 2^-23, exactly representable.
    for (std::size_t i = 0; i < part.size(); ++i) part[i] = static_cast<float>(words[i] >> 8) * 0x1p-23F - 1.0F;
  });
}

void fill_rademacher(const Philox& stream, std::span<float> out) {
  by_blocks(stream, out, 128, [](const std::array<std::uint32_t, 4>& words, std::span<float> part) {
    for (std::size_t i = 0; i < part.size(); ++i) part[i] = (words[i / 32] >> (i % 32)) & 1u ? 1.0F : -1.0F;
  });
}

}  // namespace mpq
