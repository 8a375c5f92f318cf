#include "verify/pairs.h"

#include <gtest/gtest.h>

#include "mpq/error.h"

namespace mpq::judge {
namespace {

std::vector<ValueInfo> named(const std::vector<std::string>& names) {
  std::vector<ValueInfo> infos;
  for (const auto& name : names) {
    ValueInfo info;
    info.name = name;
    infos.push_back(info);
  }
  return infos;
}

TEST(MatchOutputs, GoesByNameThenByPosition) {
  const auto swapped = match_outputs(named({"a", "b"}), named({"b", "a"}));
  EXPECT_EQ(swapped[0].quantized, "a");
  EXPECT_EQ(swapped[1].quantized, "b");
  const auto renamed = match_outputs(named({"a", "b"}), named({"a_dq", "b"}));
  EXPECT_EQ(renamed[0].quantized, "a_dq");
  EXPECT_EQ(renamed[1].quantized, "b");
}

TEST(MatchOutputs, RefusesAMissingOutput) {
  try {
    match_outputs(named({"a", "b"}), named({"a"}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(error.where(), "b");
  }
}

}  // namespace
}  // namespace mpq::judge
