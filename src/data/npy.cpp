#include "data/npy.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <optional>

#include "mpq/error.h"

#include "data/byte_reader.h"
#include "data/npy_header.h"
#include "support/files.h"

namespace mpq::data {
namespace {

constexpr std::uint64_t kMaxHeaderBytes = 1 << 20;

[[noreturn]] void refuse(const std::string& name, const std::string& what, const std::string& where,
                         const std::string& hint = "Write the array again with numpy.save.") {
  throw Error(ErrorCode::kInvalidInput, "The array '" + name + "' " + what, where, hint);
}

struct ElementType {
  DType type;
  bool big_endian;
};

/// "<f4" and its kin. Two opaque bytes ("V2") are how NumPy stores bfloat16, for which it has no code of its own.
std::optional<ElementType> element_type(const std::string& descr) {
  static const std::map<std::string, DType> kCodes = {
      {"f4", DType::kFloat32}, {"f8", DType::kFloat64}, {"f2", DType::kFloat16}, {"V2", DType::kBFloat16},
      {"i1", DType::kInt8},    {"i2", DType::kInt16},   {"i4", DType::kInt32},   {"i8", DType::kInt64},
      {"u1", DType::kUInt8},   {"u2", DType::kUInt16},  {"u4", DType::kUInt32},  {"u8", DType::kUInt64},
      {"b1", DType::kBool}};
  if (descr.size() < 3 || std::string("<>|=").find(descr[0]) == std::string::npos) return std::nullopt;
  const auto found = kCodes.find(descr.substr(1));
  if (found == kCodes.end()) return std::nullopt;
  return ElementType{found->second, descr[0] == '>'};
}

std::string kind_of(const std::string& descr) {
  if (descr.starts_with("[")) return "structures";
  const char code = descr.size() > 1 ? descr[1] : '?';
  switch (code) {
    case 'O':
      return "Python objects, which are stored as a pickle";
    case 'S':
    case 'U':
      return "strings";
    case 'c':
      return "complex numbers";
    case 'M':
    case 'm':
      return "dates or times";
    default:
      return "elements of type '" + descr + "'";
  }
}

/// Number of elements, or nothing for a negative extent or more than can be addressed.
std::optional<std::uint64_t> count_elements(const std::vector<std::int64_t>& shape, std::uint64_t element_bytes) {
  std::uint64_t count = 1;
  for (const std::int64_t extent : shape) {
    if (extent < 0) return std::nullopt;
    std::uint64_t product = 0;
    if (__builtin_mul_overflow(count, static_cast<std::uint64_t>(extent), &product)) return std::nullopt;
    count = product;
  }
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(count, element_bytes, &bytes)) return std::nullopt;
  return count;
}

struct Envelope {
  std::string header;
  std::uint64_t elements_at = 0;
};

Envelope read_envelope(std::span<const std::byte> bytes, const std::string& name, const std::string& where) {
  static constexpr unsigned char kMagic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
  if (bytes.size() < 10 || std::memcmp(bytes.data(), kMagic, sizeof kMagic) != 0) {
    refuse(name, "is not in NumPy's .npy format.", where);
  }
  const int version = std::to_integer<int>(bytes[6]);
  if (version < 1 || version > 3) {
    refuse(name, "has .npy format version " + std::to_string(version) + "; mpq reads versions 1 to 3.", where);
  }
  const std::uint64_t prefix = version == 1 ? 10 : 12;
  const std::uint64_t length = version == 1 ? read_little<std::uint16_t>(bytes, 8).value_or(0)
                                            : read_little<std::uint32_t>(bytes, 8).value_or(0);
  const auto header = part(bytes, prefix, length);
  if (!header || length > kMaxHeaderBytes) refuse(name, "is cut off inside its header.", where);
  Envelope envelope;
  envelope.header.assign(reinterpret_cast<const char*>(header->data()), header->size());
  envelope.elements_at = prefix + length;
  return envelope;
}

/// Element offsets of C-ordered positions, `strides` in elements.
template <typename Copy>
void for_each_strided(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides, Copy copy) {
  const std::int64_t total = element_count(shape);
  std::vector<std::int64_t> at(shape.size(), 0);
  std::int64_t offset = 0;
  for (std::int64_t i = 0; i < total; ++i) {
    copy(i, offset);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      offset += strides[axis];
      if (++at[axis] < shape[axis]) break;
      offset -= strides[axis] * shape[axis];
      at[axis] = 0;
    }
  }
}

void swap_elements(Tensor& tensor) {
  const std::size_t width = dtype_size(tensor.type());
  std::byte* data = tensor.mutable_data();
  for (std::size_t at = 0; at < tensor.size_bytes(); at += width) std::reverse(data + at, data + at + width);
}

/// Copies a tensor of `shape` out of the elements, beginning at element `first`; it covers the array's axes from
/// `first_axis` on.
Tensor copy_out(const NpyArray& array, std::int64_t first, const std::vector<std::int64_t>& shape,
                std::size_t first_axis) {
  Tensor tensor(array.type, shape);
  const std::size_t width = dtype_size(array.type);
  const std::byte* source = array.elements.view.data() + static_cast<std::size_t>(first) * width;
  std::byte* target = tensor.mutable_data();
  if (tensor.size_bytes() == 0) return tensor;
  if (!array.fortran_order) {
    std::memcpy(target, source, tensor.size_bytes());
  } else {
    std::vector<std::int64_t> strides(array.shape.size());
    std::exclusive_scan(array.shape.begin(), array.shape.end(), strides.begin(), std::int64_t{1}, std::multiplies<>());
    strides.erase(strides.begin(), strides.begin() + static_cast<std::ptrdiff_t>(first_axis));
    for_each_strided(shape, strides, [&](std::int64_t to, std::int64_t from) {
      std::memcpy(target + static_cast<std::size_t>(to) * width, source + static_cast<std::size_t>(from) * width,
                  width);
    });
  }
  if (array.swap_bytes && width > 1) swap_elements(tensor);
  if (array.type == DType::kBool) {  // any non-zero byte is true
    std::transform(target, target + tensor.size_bytes(), target,
                   [](std::byte b) { return std::byte{b != std::byte{0}}; });
  }
  return tensor;
}

}  // namespace

NpyArray parse_npy(const Bytes& bytes, const std::string& name, const std::string& where) {
  const Envelope envelope = read_envelope(bytes.view, name, where);
  const std::optional<NpyHeader> header = parse_npy_header(envelope.header);
  if (!header) refuse(name, "has an unreadable .npy header.", where);
  const std::optional<ElementType> element = element_type(header->descr);
  if (!element) {
    refuse(name, "holds " + kind_of(header->descr) + "; mpq reads numbers and booleans.", where,
           "Save it as a plain numeric array.");
  }
  const std::uint64_t width = dtype_size(element->type);
  const std::optional<std::uint64_t> count = count_elements(header->shape, width);
  const std::uint64_t present = bytes.view.size() - envelope.elements_at;
  if (!count || *count * width != present) {
    refuse(name,
           "holds " + std::to_string(present) + " bytes of elements, but its header announces " +
               (count ? std::to_string(*count * width) + "." : "an impossible shape."),
           where);
  }
  return {element->type, header->shape, header->fortran_order, element->big_endian,
          Bytes{bytes.view.subspan(envelope.elements_at), bytes.owner}};
}

NpyArray open_npy(const std::string& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  const auto slash = path.find_last_of('/');
  return parse_npy({file->bytes(), file}, slash == std::string::npos ? path : path.substr(slash + 1), path);
}

Tensor row(const NpyArray& array, std::int64_t index, bool keep_axis) {
  const std::vector<std::int64_t> shape(array.shape.begin() + 1, array.shape.end());
  const std::int64_t first = array.fortran_order ? index : index * element_count(shape);
  const Tensor tensor = copy_out(array, first, shape, 1);
  if (!keep_axis) return tensor;
  std::vector<std::int64_t> kept = array.shape;
  kept.front() = 1;
  return tensor.reshaped(kept);
}

Tensor whole(const NpyArray& array) { return copy_out(array, 0, array.shape, 0); }

}  // namespace mpq::data
