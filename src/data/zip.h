#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace mpq::data {

/// Bytes and what keeps them alive.
struct Bytes {
  std::span<const std::byte> view;
  std::shared_ptr<const void> owner;
};

/// A file inside a ZIP archive, as the central directory describes it.
struct ZipMember {
  std::string name;
  int method = 0;  ///< 0 stored, 8 deflated
  std::uint32_t crc32 = 0;
  std::uint64_t packed_bytes = 0;
  std::uint64_t unpacked_bytes = 0;
  std::uint64_t header_offset = 0;
};

/// The members of a ZIP archive (PKWARE APPNOTE 6.3.9, ZIP64 included), folders left out.
/// Throws Error{kInvalidInput} naming `where` for anything that is not a complete, plain archive: truncated or
/// inconsistent directories, encryption, several disks, unknown methods, duplicate names, and sizes no archive of this
/// length can hold.
std::vector<ZipMember> list_zip(std::span<const std::byte> archive, const std::string& where);

/// Throws Error{kInvalidInput} when these members together unpack to more than the machine's memory: checked before the
/// first byte is allocated.
void check_memory(const std::vector<ZipMember>& members, const std::string& where);

/// A member's content: a view into `archive` when it is stored, else inflated. The CRC is verified.
/// Throws Error{kInvalidInput}.
Bytes extract(const Bytes& archive, const ZipMember& member, const std::string& where);

}  // namespace mpq::data
