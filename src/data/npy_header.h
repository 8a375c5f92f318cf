#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mpq::data {

/// The dictionary in front of a .npy array.
struct NpyHeader {
  std::string descr;  ///< as written: "<f4"; "[...]" for a structured type
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
};

/// Parses the Python literal {'descr': ..., 'fortran_order': ..., 'shape': ...}; nothing when it is not exactly that.
std::optional<NpyHeader> parse_npy_header(std::string_view text);

}  // namespace mpq::data
