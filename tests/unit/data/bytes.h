#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "data/zip.h"

// Files written byte by byte, as their specifications say, without any code of ours.

namespace mpq::data::testing {

/// `width` bytes of a number, the lowest first.
inline std::string little(std::uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

inline std::string big(std::uint64_t value, int width) {
  const std::string bytes = little(value, width);
  return {bytes.rbegin(), bytes.rend()};
}

/// The numbers as they lie in the memory of a little-endian machine.
template <typename T>
std::string raw(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// A text as the bytes of a mapped file.
inline Bytes bytes_of(const std::string& text) {
  const auto owner = std::make_shared<const std::string>(text);
  return {std::as_bytes(std::span(*owner)), owner};
}

/// numpy/lib/format.py: magic, version, header length (two bytes in version 1, four after), header, elements.
inline std::string npy_with_header(const std::string& header, const std::string& elements, int version = 1) {
  return "\x93NUMPY" + little(static_cast<unsigned>(version), 1) + little(0, 1) +
         little(header.size(), version == 1 ? 2 : 4) + header + elements;
}

/// As numpy.save writes it: the header ends with a newline, and the elements begin at a multiple of 64.
inline std::string npy(const std::string& descr, const std::string& shape, const std::string& elements,
                       bool fortran_order = false, int version = 1) {
  std::string header = "{'descr': '" + descr + "', 'fortran_order': " + (fortran_order ? "True" : "False") +
                       ", 'shape': " + shape + ", }";
  const std::size_t prefix = version == 1 ? 10 : 12;
  while ((prefix + header.size() + 1) % 64 != 0) header += ' ';
  return npy_with_header(header + '\n', elements, version);
}

/// The message of the kInvalidInput error that `action` throws; it must be a sentence that speaks of `where`.
template <typename Action>
std::string refusal(const std::string& where, const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput) << error.what();
    EXPECT_EQ(error.where(), where);
    EXPECT_THAT(error.what(), ::testing::MatchesRegex("[A-Z].*\\."));
    return error.what();
  }
  return "no error";
}

}  // namespace mpq::data::testing
