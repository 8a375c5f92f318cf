#include "data/zip.h"

#include <algorithm>
#include <limits>
#include <set>
#include <unistd.h>
#include <zlib.h>

#include "mpq/error.h"

#include "data/byte_reader.h"
#include "support/text.h"

namespace mpq::data {
namespace {

using View = std::span<const std::byte>;

constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kEnd64Signature = 0x06064b50;
constexpr std::uint32_t kLocator64Signature = 0x07064b50;
constexpr std::uint32_t kEntrySignature = 0x02014b50;
constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint32_t kSaturated = 0xffffffff;  // "the value is in the ZIP64 extra field"
// Deflate cannot shrink further than 258 bytes into two bits.
constexpr std::uint64_t kDeflateLimit = 1032;

[[noreturn]] void refuse(const std::string& what, const std::string& where) {
  throw Error(ErrorCode::kInvalidInput, what, where, "Write the file again, for example with numpy.savez.");
}

template <typename T>
T must_read(View bytes, std::uint64_t offset, const std::string& where) {
  const std::optional<T> value = read_little<T>(bytes, offset);
  if (!value) refuse("The archive is damaged: its directory points outside the file.", where);
  return *value;
}

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
};

/// The end record is the last 22 bytes, or further in front when a comment follows it.
std::uint64_t find_end(View archive, const std::string& where) {
  constexpr std::uint64_t kEndBytes = 22, kMaxComment = 65535;
  if (archive.size() >= kEndBytes) {
    const std::uint64_t last = archive.size() - kEndBytes;
    const std::uint64_t first = last > kMaxComment ? last - kMaxComment : 0;
    for (std::uint64_t at = last + 1; at-- > first;) {
      if (read_little<std::uint32_t>(archive, at) == kEndSignature &&
          at + kEndBytes + must_read<std::uint16_t>(archive, at + 20, where) == archive.size()) {
        return at;
      }
    }
  }
  refuse("The file is no complete ZIP archive: it ends without a directory (" + std::to_string(archive.size()) +
             " bytes).",
         where);
}

Directory find_directory(View archive, const std::string& where) {
  const std::uint64_t end = find_end(archive, where);
  Directory directory;
  directory.entries = must_read<std::uint16_t>(archive, end + 10, where);
  directory.bytes = must_read<std::uint32_t>(archive, end + 12, where);
  directory.offset = must_read<std::uint32_t>(archive, end + 16, where);
  const bool zip64 = end >= 20 && read_little<std::uint32_t>(archive, end - 20) == kLocator64Signature;
  if (zip64) {
    const auto record = must_read<std::uint64_t>(archive, end - 20 + 8, where);
    if (must_read<std::uint32_t>(archive, record, where) != kEnd64Signature) {
      refuse("The archive is damaged: its ZIP64 directory record is missing.", where);
    }
    directory.entries = must_read<std::uint64_t>(archive, record + 32, where);
    directory.bytes = must_read<std::uint64_t>(archive, record + 40, where);
    directory.offset = must_read<std::uint64_t>(archive, record + 48, where);
  }
  if (!part(archive, directory.offset, directory.bytes)) {
    refuse("The archive is damaged: its directory points outside the file.", where);
  }
  return directory;
}

std::string text_of(View bytes) {
  std::string text(bytes.size(), '\0');
  std::transform(bytes.begin(), bytes.end(), text.begin(), [](std::byte b) { return static_cast<char>(b); });
  return text;
}

/// ZIP64 extra field (id 1): holds, in this order, only those values that are saturated in the entry.
void read_zip64_extra(View extra, ZipMember& member, const std::string& where) {
  std::uint64_t at = 0;
  while (at + 4 <= extra.size()) {
    const auto id = must_read<std::uint16_t>(extra, at, where);
    const auto length = must_read<std::uint16_t>(extra, at + 2, where);
    const auto body = part(extra, at + 4, length);
    if (!body) refuse("The archive is damaged: an extra field of member '" + member.name + "' is cut off.", where);
    at += 4 + std::uint64_t{length};
    if (id != 1) continue;
    std::uint64_t field = 0;
    for (std::uint64_t* value : {&member.unpacked_bytes, &member.packed_bytes, &member.header_offset}) {
      if (*value != kSaturated) continue;
      *value = must_read<std::uint64_t>(*body, field, where);
      field += 8;
    }
  }
}

void check(const ZipMember& member, std::uint16_t flags, View archive, const std::string& where) {
  const std::string who = "The archive's member '" + member.name + "' ";
  if ((flags & 1) != 0) refuse(who + "is encrypted; mpq reads plain archives only.", where);
  if (member.method != 0 && member.method != 8) {
    refuse(who + "is compressed by method " + std::to_string(member.method) +
               "; mpq reads stored (0) and deflated (8) members.",
           where);
  }
  const bool possible = member.packed_bytes <= archive.size() &&
                        (member.method == 0 ? member.unpacked_bytes == member.packed_bytes
                                            : member.unpacked_bytes / kDeflateLimit <= member.packed_bytes);
  if (!possible) {
    refuse(who + "cannot be " + std::to_string(member.unpacked_bytes) + " bytes long, stored as " +
               std::to_string(member.packed_bytes) + " bytes in a file of " + std::to_string(archive.size()) +
               ": its sizes are false.",
           where);
  }
}

View packed_bytes(View archive, const ZipMember& member, const std::string& where) {
  constexpr std::uint64_t kLocalBytes = 30;
  if (must_read<std::uint32_t>(archive, member.header_offset, where) != kLocalSignature) {
    refuse("The archive is damaged: the header of member '" + member.name + "' is not where the directory says.",
           where);
  }
  const std::uint64_t start = member.header_offset + kLocalBytes +
                              must_read<std::uint16_t>(archive, member.header_offset + 26, where) +
                              must_read<std::uint16_t>(archive, member.header_offset + 28, where);
  const auto bytes = part(archive, start, member.packed_bytes);
  if (!bytes) refuse("The archive is cut off inside its member '" + member.name + "'.", where);
  return *bytes;
}

/// zlib counts in 32 bits: bytes to hand over in one call.
uInt portion(std::size_t left) {
  return static_cast<uInt>(std::min<std::size_t>(left, std::numeric_limits<uInt>::max() / 2));
}

/// Inflates a raw deflate stream that must fill `out` exactly.
bool inflate_into(View packed, std::span<std::byte> out) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return false;
  std::size_t read = 0, written = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data() + read));
    stream.avail_in = portion(packed.size() - read);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + written);
    stream.avail_out = portion(out.size() - written);
    const uInt offered_in = stream.avail_in, offered_out = stream.avail_out;
    status = inflate(&stream, Z_NO_FLUSH);
    read += offered_in - stream.avail_in;
    written += offered_out - stream.avail_out;
    // No progress: the stream wants more input than there is, or more room than was declared.
    if (status == Z_OK && offered_in == stream.avail_in && offered_out == stream.avail_out) break;
  }
  inflateEnd(&stream);
  return status == Z_STREAM_END && written == out.size();
}

std::uint32_t crc_of(View bytes) {
  uLong crc = ::crc32(0, nullptr, 0);
  return static_cast<std::uint32_t>(::crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

std::vector<ZipMember> list_zip(View archive, const std::string& where) {
  constexpr std::uint64_t kEntryBytes = 46;
  const Directory directory = find_directory(archive, where);
  if (directory.entries > directory.bytes / kEntryBytes) {
    refuse("The archive is damaged: its directory is too short for the " + std::to_string(directory.entries) +
               " members it announces.",
           where);
  }
  const View entries = archive.subspan(directory.offset, directory.bytes);
  std::vector<ZipMember> members;
  std::set<std::string> names;
  std::uint64_t at = 0;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    if (must_read<std::uint32_t>(entries, at, where) != kEntrySignature) {
      refuse("The archive is damaged: entry " + std::to_string(i) + " of its directory is no entry.", where);
    }
    ZipMember member;
    const auto flags = must_read<std::uint16_t>(entries, at + 8, where);
    member.method = must_read<std::uint16_t>(entries, at + 10, where);
    member.crc32 = must_read<std::uint32_t>(entries, at + 16, where);
    member.packed_bytes = must_read<std::uint32_t>(entries, at + 20, where);
    member.unpacked_bytes = must_read<std::uint32_t>(entries, at + 24, where);
    member.header_offset = must_read<std::uint32_t>(entries, at + 42, where);
    const std::uint64_t name_bytes = must_read<std::uint16_t>(entries, at + 28, where);
    const std::uint64_t extra_bytes = must_read<std::uint16_t>(entries, at + 30, where);
    const std::uint64_t comment_bytes = must_read<std::uint16_t>(entries, at + 32, where);
    const auto tail = part(entries, at + kEntryBytes, name_bytes + extra_bytes + comment_bytes);
    if (!tail) refuse("The archive is damaged: its directory is cut off.", where);
    member.name = text_of(tail->first(name_bytes));
    read_zip64_extra(tail->subspan(name_bytes, extra_bytes), member, where);
    at += kEntryBytes + name_bytes + extra_bytes + comment_bytes;
    if (member.name.ends_with('/')) continue;
    check(member, flags, archive, where);
    if (!names.insert(member.name).second) {
      refuse("The archive holds two members named '" + member.name + "'.", where);
    }
    members.push_back(std::move(member));
  }
  return members;
}

void check_memory(const std::vector<ZipMember>& members, const std::string& where) {
  const std::uint64_t memory =
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  std::uint64_t total = 0;
  for (const ZipMember& member : members) {
    if (member.method != 0) total += std::min(member.unpacked_bytes, memory);  // cannot overflow
    if (total >= memory) {
      refuse("The archive unpacks to more than this machine's memory of " +
                 format_bytes(static_cast<std::int64_t>(memory)) + ".",
             where);
    }
  }
}

Bytes extract(const Bytes& archive, const ZipMember& member, const std::string& where) {
  const View packed = packed_bytes(archive.view, member, where);
  Bytes content{packed, archive.owner};
  if (member.method == 8) {
    auto unpacked = std::make_shared<std::vector<std::byte>>(member.unpacked_bytes);
    if (!inflate_into(packed, *unpacked)) {
      refuse("The archive's member '" + member.name + "' is damaged: it does not unpack to the " +
                 std::to_string(member.unpacked_bytes) + " bytes it announces.",
             where);
    }
    content = {*unpacked, unpacked};
  }
  if (crc_of(content.view) != member.crc32) {
    refuse("The archive's member '" + member.name + "' is damaged: its checksum is wrong.", where);
  }
  return content;
}

}  // namespace mpq::data
