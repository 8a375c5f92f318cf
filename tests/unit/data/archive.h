#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bytes.h"

// ZIP archives, laid out as PKWARE's APPNOTE 6.3.9 says (4.3.7, 4.3.12, 4.3.14 to 4.3.16, 4.5.3).

namespace mpq::data::testing {

/// CRC-32 bit by bit: polynomial 0xedb88320, reflected.
inline std::uint32_t slow_crc(const std::string& bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
  }
  return ~crc;
}

/// RFC 1951, 3.2.4: one block that is not compressed.
inline std::string deflated_plainly(const std::string& content) {
  return '\x01' + little(content.size(), 2) + little(~content.size(), 2) + content;
}

struct Entry {
  std::string name;
  std::string packed;  ///< the bytes as they stand in the archive
  int method = 0;
  std::uint64_t unpacked = 0;
  std::uint32_t crc = 0;
  int flags = 0;
  bool zip64 = false;               ///< sizes and offset in the extra field
  std::optional<std::uint64_t> at;  ///< a header offset that is not the true one
  bool zip64_offset = false;        ///< the offset alone in the extra field
};

inline Entry stored(const std::string& name, const std::string& content) {
  return {name, content, 0, content.size(), slow_crc(content), 0, false, {}, false};
}

inline Entry deflated(const std::string& name, const std::string& packed, const std::string& content) {
  return {name, packed, 8, content.size(), slow_crc(content), 0, false, {}, false};
}

inline std::string local_header(const Entry& entry) {
  return little(0x04034b50, 4) + little(20, 2) + little(static_cast<unsigned>(entry.flags), 2) +
         little(static_cast<unsigned>(entry.method), 2) + little(0, 4) + little(entry.crc, 4) +
         little(entry.packed.size(), 4) + little(entry.unpacked, 4) + little(entry.name.size(), 2) + little(3, 2) +
         entry.name + "xyz";  // an extra field that differs from the directory's, as the format allows
}

inline std::string directory_entry(const Entry& entry, std::uint64_t offset) {
  const std::uint64_t at = entry.at.value_or(offset);
  std::string extra = little(0x5455, 2) + little(1, 2) + "t";  // a field to be passed over
  const std::string wide_sizes = entry.zip64 ? little(entry.unpacked, 8) + little(entry.packed.size(), 8) : "";
  const std::string wide = wide_sizes + (entry.zip64 || entry.zip64_offset ? little(at, 8) : "");
  if (!wide.empty()) extra += little(1, 2) + little(wide.size(), 2) + wide;
  const auto number = [](std::uint64_t value, bool saturated) { return little(saturated ? 0xffffffff : value, 4); };
  return little(0x02014b50, 4) + little(20, 2) + little(20, 2) + little(static_cast<unsigned>(entry.flags), 2) +
         little(static_cast<unsigned>(entry.method), 2) + little(0, 4) + little(entry.crc, 4) +
         number(entry.packed.size(), entry.zip64) + number(entry.unpacked, entry.zip64) + little(entry.name.size(), 2) +
         little(extra.size(), 2) + little(4, 2) + little(0, 2) + little(0, 2) + little(0, 4) +
         number(at, entry.zip64 || entry.zip64_offset) + entry.name + extra + "note";
}

inline std::string end_record(std::uint64_t entries, std::uint64_t bytes, std::uint64_t offset,
                              const std::string& comment = "") {
  return little(0x06054b50, 4) + little(0, 4) + little(entries, 2) + little(entries, 2) + little(bytes, 4) +
         little(offset, 4) + little(comment.size(), 2) + comment;
}

/// The record and the locator that stand before the end record of a ZIP64 archive.
inline std::string end_records64(std::uint64_t entries, std::uint64_t bytes, std::uint64_t offset) {
  return little(0x06064b50, 4) + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 8) + little(entries, 8) +
         little(entries, 8) + little(bytes, 8) + little(offset, 8) +  //
         little(0x07064b50, 4) + little(0, 4) + little(offset + bytes, 8) + little(1, 4);
}

struct Layout {
  bool zip64 = false;
  std::string comment;
};

inline std::string zip(const std::vector<Entry>& entries, const Layout& layout = {}) {
  std::string archive, directory;
  for (const Entry& entry : entries) {
    directory += directory_entry(entry, archive.size());
    archive += local_header(entry) + entry.packed;
  }
  const std::size_t offset = archive.size();
  archive += directory;
  if (!layout.zip64) return archive + end_record(entries.size(), directory.size(), offset, layout.comment);
  return archive + end_records64(entries.size(), directory.size(), offset) +
         end_record(0xffff, 0xffffffff, 0xffffffff, layout.comment);
}

}  // namespace mpq::data::testing
