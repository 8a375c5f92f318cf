#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mpq/tensor.h"

#include "data/zip.h"

namespace mpq::data {

/// An array in NumPy's .npy format (versions 1 to 3), its elements still as they stand in the file.
struct NpyArray {
  DType type = DType::kFloat32;
  std::vector<std::int64_t> shape;
  bool fortran_order = false;
  bool swap_bytes = false;  ///< big-endian elements
  Bytes elements;           ///< exactly element_count(shape) of them
};

/// Reads the header and checks that the elements are there, neither more nor fewer.
/// Throws Error{kInvalidInput}: `name` says which array, `where` which file. Arrays of Python objects, strings, complex
/// numbers, dates and structures are refused: nothing a pickle could hide in is ever interpreted.
NpyArray parse_npy(const Bytes& bytes, const std::string& name, const std::string& where);

/// Opens a .npy file.
NpyArray open_npy(const std::string& path);

/// Row `index` of the leading axis in C order and native byte order; `keep_axis` keeps that axis with extent 1.
Tensor row(const NpyArray& array, std::int64_t index, bool keep_axis);

/// The whole array in C order and native byte order.
Tensor whole(const NpyArray& array);

}  // namespace mpq::data
