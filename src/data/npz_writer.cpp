#include <algorithm>
#include <bit>
#include <limits>
#include <zlib.h>

#include "mpq/error.h"
#include "mpq/samples.h"

#include "support/files.h"

// NumPy's .npz: a ZIP archive (PKWARE APPNOTE 6.3.9) of .npy files (NEP 1), stored uncompressed as numpy.savez does,
// with a fixed date so that equal arrays give equal files.

namespace mpq {
namespace {

constexpr std::uint64_t kLimit = std::numeric_limits<std::uint32_t>::max();

const char* descr_of(DType type) {
  switch (type) {
    case DType::kFloat32:
      return "<f4";
    case DType::kFloat64:
      return "<f8";
    case DType::kFloat16:
      return "<f2";
    case DType::kInt8:
      return "|i1";
    case DType::kInt16:
      return "<i2";
    case DType::kInt32:
      return "<i4";
    case DType::kInt64:
      return "<i8";
    case DType::kUInt8:
      return "|u1";
    case DType::kUInt16:
      return "<u2";
    case DType::kUInt32:
      return "<u4";
    case DType::kUInt64:
      return "<u8";
    case DType::kBool:
      return "|b1";
    case DType::kBFloat16:  // NumPy has no such type: its bits
      return "<u2";
    case DType::kString:
      break;
  }
  return nullptr;
}

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i, value >>= 8) out += static_cast<char>(value & 0xFFU);
}

/// Magic, version 1.0, and a dictionary padded so that the elements start at a multiple of 64 bytes.
std::string npy_header(const std::string& name, const Tensor& tensor) {
  const char* descr = descr_of(tensor.type());
  if (descr == nullptr)
    throw Error(ErrorCode::kUnsupported, "The output " + name + " holds no numbers, which an .npz could not hold.",
                name);
  std::string shape;
  for (const std::int64_t extent : tensor.shape())
    shape += std::to_string(extent) + (tensor.shape().size() == 1 ? "," : ", ");
  if (tensor.shape().size() > 1) shape.resize(shape.size() - 2);
  std::string text = "{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  constexpr std::size_t kPrefix = 10, kAlign = 64;
  text.append(kAlign - (kPrefix + text.size() + 1) % kAlign, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  put(header, text.size(), 2);
  return header + text;
}

struct Entry {
  std::string name, header;
  const Tensor* tensor;
  std::uint32_t crc = 0;
  std::uint64_t offset = 0;
  std::uint64_t size() const { return header.size() + tensor->size_bytes(); }
};

/// The fields that a member's local header and the central directory share, from "version needed" on.
std::string common_fields(const Entry& entry) {
  std::string out;
  put(out, 20, 2);      // version 2.0
  put(out, 0x0800, 2);  // names are UTF-8
  put(out, 0, 2);       // stored
  put(out, 0, 2);       // 00:00:00
  put(out, 0x0021, 2);  // 1980-01-01
  put(out, entry.crc, 4);
  put(out, entry.size(), 4);
  put(out, entry.size(), 4);
  put(out, entry.name.size(), 2);
  put(out, 0, 2);  // no extra field
  return out;
}

std::string directory(const std::vector<Entry>& entries, std::uint64_t begin) {
  std::string out;
  for (const Entry& entry : entries) {
    out += std::string("PK\x01\x02", 4);
    put(out, 20, 2);
    out += common_fields(entry);
    put(out, 0, 2 + 2 + 2 + 4);  // comment, disk, attributes
    put(out, entry.offset, 4);
    out += entry.name;
  }
  const std::uint64_t bytes = out.size();
  out += std::string("PK\x05\x06", 4);
  put(out, 0, 4);
  put(out, entries.size(), 2);
  put(out, entries.size(), 2);
  put(out, bytes, 4);
  put(out, begin, 4);
  put(out, 0, 2);
  return out;
}

std::uint32_t crc_of(const Entry& entry) {
  uLong crc = ::crc32_z(0, reinterpret_cast<const Bytef*>(entry.header.data()), entry.header.size());
  if (entry.tensor->size_bytes() > 0)
    crc = ::crc32_z(crc, reinterpret_cast<const Bytef*>(entry.tensor->data()), entry.tensor->size_bytes());
  return static_cast<std::uint32_t>(crc);
}

}  // namespace

void write_npz(const std::string& path, const Feed& arrays, bool force) {
  static_assert(std::endian::native == std::endian::little, "elements are written as they lie in memory");
  std::vector<Entry> entries;
  std::uint64_t total = 0;
  for (const auto& [name, tensor] : arrays) {
    Entry& entry = entries.emplace_back(Entry{name + ".npy", npy_header(name, tensor), &tensor});
    entry.crc = crc_of(entry);
    entry.offset = total;
    total += 30 + entry.name.size() + entry.size();
  }
  if (total > kLimit || entries.size() > 65535)
    throw Error(ErrorCode::kUnsupported, "The outputs are larger than the 4 GiB that a plain ZIP archive holds.", path,
                "Run fewer requests.");
  AtomicFile file(path, force);
  for (const Entry& entry : entries) {
    std::string header("PK\x03\x04", 4);
    header += common_fields(entry);
    file.write(header + entry.name + entry.header);
    file.write(std::span(entry.tensor->data(), entry.tensor->size_bytes()));
  }
  file.write(directory(entries, total));
  file.commit();
}

Feed stacked(const std::vector<Feed>& feeds) {
  Feed result;
  std::map<std::string, std::vector<const Tensor*>> by_name;
  for (const Feed& feed : feeds) {
    for (const auto& [name, tensor] : feed) by_name[name].push_back(&tensor);
  }
  for (const auto& [name, tensors] : by_name) {
    const Tensor& first = *tensors[0];
    const bool alike =
        tensors.size() == feeds.size() && std::all_of(tensors.begin(), tensors.end(), [&](const Tensor* t) {
          return t->type() == first.type() && t->shape() == first.shape();
        });
    if (!alike) {
      for (std::size_t i = 0; i < feeds.size(); ++i) {
        const auto found = feeds[i].find(name);
        if (found != feeds[i].end()) result.emplace(name + '_' + std::to_string(i), found->second);
      }
      continue;
    }
    std::vector<std::int64_t> shape = first.shape();
    shape.insert(shape.begin(), static_cast<std::int64_t>(tensors.size()));
    Tensor whole(first.type(), shape);
    std::byte* to = whole.mutable_data();
    for (const Tensor* tensor : tensors) to = std::copy_n(tensor->data(), tensor->size_bytes(), to);
    result.emplace(name, std::move(whole));
  }
  return result;
}

}  // namespace mpq
