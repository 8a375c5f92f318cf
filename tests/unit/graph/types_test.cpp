#include "graph/types.h"

#include <limits>

#include <gtest/gtest.h>
#include <onnx/common/common.h>

#include "mpq/error.h"

#include "graph/model_impl.h"

namespace mpq::graph {
namespace {

using onnx::TensorProto;

google::protobuf::RepeatedField<std::int64_t> dims(const std::vector<std::int64_t>& extents) {
  return {extents.begin(), extents.end()};
}

TEST(Types, GoToOnnxAndBack) {
  for (int i = 0; i <= static_cast<int>(DType::kString); ++i) {
    const auto type = static_cast<DType>(i);
    EXPECT_EQ(dtype_of(onnx_dtype(type)), type);
    EXPECT_EQ(element_type_name(onnx_dtype(type)), dtype_name(type));
    EXPECT_EQ(element_bits(onnx_dtype(type)), static_cast<int>(8 * dtype_size(type)));
  }
}

TEST(Types, ThatMpqCannotFeedAreUnsupported) {
  for (const int type : {0, 14, 15, 17, 21, 22, 23, 24, 25, 26, 27, 99, -1}) {
    try {
      dtype_of(type);
      ADD_FAILURE() << type;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
      EXPECT_NE(std::string(error.what()).find(element_type_name(type)), std::string::npos);
    }
  }
}

TEST(Types, HaveOnnxNames) {
  EXPECT_EQ(element_type_name(TensorProto::FLOAT8E4M3FN), "float8e4m3fn");
  EXPECT_EQ(element_type_name(TensorProto::INT2), "int2");
  EXPECT_EQ(element_type_name(1000), "type 1000");
  EXPECT_EQ(element_type_name(-3), "type -3");
}

TEST(Types, CountBytesOfRawData) {
  EXPECT_EQ(raw_data_bytes(TensorProto::FLOAT, 3), 12);
  EXPECT_EQ(raw_data_bytes(TensorProto::COMPLEX128, 3), 48);
  EXPECT_EQ(raw_data_bytes(TensorProto::BOOL, 3), 3);
  EXPECT_EQ(raw_data_bytes(TensorProto::INT4, 3), 2);
  EXPECT_EQ(raw_data_bytes(TensorProto::FLOAT4E2M1, 4), 2);
  EXPECT_EQ(raw_data_bytes(TensorProto::UINT2, 5), 2);
  EXPECT_EQ(raw_data_bytes(TensorProto::INT2, 0), 0);
  EXPECT_EQ(raw_data_bytes(TensorProto::INT4, std::numeric_limits<std::int64_t>::max()), (std::int64_t{1} << 62));
  EXPECT_FALSE(raw_data_bytes(TensorProto::STRING, 3));
  EXPECT_FALSE(raw_data_bytes(TensorProto::UNDEFINED, 3));
  EXPECT_FALSE(raw_data_bytes(TensorProto::FLOAT, std::int64_t{1} << 61));
  EXPECT_FALSE(raw_data_bytes(TensorProto::FLOAT, -1));
}

TEST(Types, MultiplyExtentsSafely) {
  EXPECT_EQ(safe_element_count(dims({})), 1);
  EXPECT_EQ(safe_element_count(dims({3, 4})), 12);
  const std::int64_t huge = std::int64_t{1} << 40;
  EXPECT_EQ(safe_element_count(dims({huge, huge, 0})), std::nullopt);
  EXPECT_EQ(safe_element_count(dims({0, huge, huge})), 0);
  EXPECT_EQ(safe_element_count(dims({huge, huge})), std::nullopt);
  EXPECT_EQ(safe_element_count(dims({2, -1})), std::nullopt);
  EXPECT_EQ(safe_element_count(dims({0, -1})), std::nullopt);
}

}  // namespace
}  // namespace mpq::graph
