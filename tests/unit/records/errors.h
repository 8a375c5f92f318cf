#pragma once

#include <string>

#include <gtest/gtest.h>

#include "mpq/error.h"

namespace mpq {

/// The message of the kInvalidInput error that `action` throws; its where() must be `where`.
template <typename Action>
std::string invalid_input(const std::string& where, const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(error.where(), where);
    return error.what();
  }
  return "no error";
}

/// The message of the kUsage error that `action` throws.
template <typename Action>
std::string usage_error(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
  return "no error";
}

/// `text` with its first `from` replaced by `to`.
inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

}  // namespace mpq
