#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace mpq {

/// SHA-256 (FIPS 180-4), incremental.
class Sha256 {
 public:
  Sha256();
  void update(std::span<const std::byte> bytes);
  void update(const std::string& text);
  /// Lower-case hexadecimal; the object is spent afterwards.
  std::string hex();

 private:
  std::array<std::uint32_t, 8> state_;
  std::array<std::byte, 64> buffer_{};
  std::uint64_t length_ = 0;
};

/// The compression function for processors without SHA instructions: updates `state` with whole 64-byte blocks.
/// Declared here so that tests reach it on every machine.
void sha256_compress_portable(std::array<std::uint32_t, 8>& state, const std::byte* data, std::size_t blocks);

}  // namespace mpq
