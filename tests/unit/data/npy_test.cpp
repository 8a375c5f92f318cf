#include "data/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bytes.h"

namespace mpq::data::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

NpyArray parse(const std::string& file) { return parse_npy(bytes_of(file), "x", "x.npy"); }

std::string refused(const std::string& file) {
  return refusal("x.npy", [&] { parse(file); });
}

template <typename T>
std::vector<T> numbers(const Tensor& tensor) {
  return {tensor.as<T>().begin(), tensor.as<T>().end()};
}

TEST(Npy, ReadsEveryFormatVersion) {
  for (const int version : {1, 2, 3}) {
    const NpyArray array = parse(npy("<f4", "(2, 3)", raw<float>({1, 2, 3, 4, 5, 6.5F}), false, version));
    EXPECT_EQ(array.type, DType::kFloat32);
    EXPECT_THAT(array.shape, ElementsAre(2, 3));
    EXPECT_THAT(numbers<float>(whole(array)), ElementsAre(1, 2, 3, 4, 5, 6.5F)) << version;
  }
}

TEST(Npy, RefusesVersionsThatDoNotExist) {
  for (const int version : {0, 4, 255}) {
    EXPECT_THAT(refused(npy("<f4", "(1,)", raw<float>({1}), false, version)),
                HasSubstr("has .npy format version " + std::to_string(version)));
  }
}

// A file of numpy.save(np.arange(3, dtype='<i2')), byte for byte.
TEST(Npy, ReadsAFileOfNumPy) {
  const std::string file = std::string("\x93NUMPY\x01\x00\x76\x00", 10) +
                           "{'descr': '<i2', 'fortran_order': False, 'shape': (3,), }" + std::string(60, ' ') + "\n" +
                           std::string("\x00\x00\x01\x00\x02\x00", 6);
  EXPECT_THAT(numbers<std::int16_t>(whole(parse(file))), ElementsAre(0, 1, 2));
}

TEST(Npy, ReadsEveryNumericType) {
  const std::vector<std::pair<std::string, DType>> types = {
      {"<f4", DType::kFloat32}, {"<f8", DType::kFloat64}, {"<f2", DType::kFloat16}, {"<V2", DType::kBFloat16},
      {"|i1", DType::kInt8},    {"<i2", DType::kInt16},   {"<i4", DType::kInt32},   {"<i8", DType::kInt64},
      {"|u1", DType::kUInt8},   {"<u2", DType::kUInt16},  {"<u4", DType::kUInt32},  {"<u8", DType::kUInt64},
      {"|b1", DType::kBool},    {"=i4", DType::kInt32}};
  for (const auto& [descr, type] : types) {
    const std::string element = little(1, descr[2] - '0');
    const NpyArray array = parse(npy(descr, "(1,)", element));
    EXPECT_EQ(array.type, type) << descr;
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(whole(array).data()), element.size()), element) << descr;
  }
}

TEST(Npy, ReadsBigEndianNumbers) {
  const NpyArray array = parse(npy(">i4", "(2, 2)", big(1, 4) + big(258, 4) + big(3, 4) + big(0xfffffffe, 4)));
  EXPECT_THAT(numbers<std::int32_t>(whole(array)), ElementsAre(1, 258, 3, -2));
  EXPECT_THAT(numbers<std::int32_t>(row(array, 1, false)), ElementsAre(3, -2));
}

TEST(Npy, AnyByteButZeroIsTrue) {
  EXPECT_THAT(numbers<std::uint8_t>(whole(parse(npy("|b1", "(3,)", std::string("\x00\x02\xff", 3))))),
              ElementsAre(0, 1, 1));
}

// a[i][j][k] = 100 i + 10 j + k of shape [2, 3, 4], written with the first axis fastest.
NpyArray fortran_array() {
  std::vector<std::int16_t> values;
  for (int k = 0; k < 4; ++k) {
    for (int j = 0; j < 3; ++j) {
      for (int i = 0; i < 2; ++i) values.push_back(static_cast<std::int16_t>(100 * i + 10 * j + k));
    }
  }
  return parse(npy("<i2", "(2, 3, 4)", raw(values), true));
}

TEST(Npy, TurnsFortranOrderIntoCOrder) {
  const std::vector<std::int16_t> values = numbers<std::int16_t>(whole(fortran_array()));
  ASSERT_EQ(values.size(), 24U);
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 3; ++j) {
      for (int k = 0; k < 4; ++k) {
        EXPECT_EQ(values[static_cast<std::size_t>(12 * i + 4 * j + k)], 100 * i + 10 * j + k);
      }
    }
  }
}

TEST(Npy, RowsOfFortranOrder) {
  const Tensor second = row(fortran_array(), 1, false);
  EXPECT_THAT(second.shape(), ElementsAre(3, 4));
  EXPECT_THAT(numbers<std::int16_t>(second), ElementsAre(100, 101, 102, 103, 110, 111, 112, 113, 120, 121, 122, 123));
}

TEST(Npy, RowsKeepOrLoseTheSampleAxis) {
  const NpyArray array = parse(npy("<f4", "(3, 2)", raw<float>({0, 1, 2, 3, 4, 5})));
  EXPECT_THAT(row(array, 2, false).shape(), ElementsAre(2));
  EXPECT_THAT(row(array, 2, true).shape(), ElementsAre(1, 2));
  EXPECT_THAT(numbers<float>(row(array, 2, true)), ElementsAre(4, 5));
  const NpyArray scalars = parse(npy("<f4", "(2,)", raw<float>({7, 8})));
  EXPECT_THAT(row(scalars, 1, false).shape(), ElementsAre());
  EXPECT_THAT(numbers<float>(row(scalars, 1, false)), ElementsAre(8));
}

TEST(Npy, ReadsArraysWithoutElements) {
  const NpyArray array = parse(npy("<f4", "(0, 5)", ""));
  EXPECT_EQ(whole(array).size(), 0);
  EXPECT_EQ(whole(parse(npy("<f4", "(3, 0)", "", true))).size(), 0);
}

TEST(Npy, RefusesWhatIsNoNumber) {
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {"|O", "Python objects, which are stored as a pickle"},
      {"<U7", "strings"},
      {"|S3", "strings"},
      {"<c8", "complex numbers"},
      {"<M8[ns]", "dates or times"},
      {"<m8[s]", "dates or times"},
      {"|V8", "elements of type '|V8'"},
      {"<f16", "elements of type '<f16'"},
      {"<i3", "elements of type '<i3'"},
      {"?f4", "elements of type '?f4'"},
      {"", "elements of type ''"}};
  for (const auto& [descr, kind] : kinds) {
    EXPECT_THAT(refused(npy(descr, "(1,)", std::string(8, '\x80'))), HasSubstr("holds " + kind + ";")) << descr;
  }
}

TEST(Npy, RefusesStructures) {
  const std::string header = "{'descr': [('a', '<f4'), ('b', '<i4')], 'fortran_order': False, 'shape': (1,), }\n";
  EXPECT_THAT(refused(npy_with_header(header, std::string(8, '\0'))), HasSubstr("holds structures;"));
}

TEST(Npy, EveryTruncationIsRefused) {
  const std::string file = npy("<f4", "(2, 2)", raw<float>({1, 2, 3, 4}));
  for (std::size_t length = 0; length < file.size(); ++length) {
    EXPECT_THAT(refused(file.substr(0, length)), HasSubstr("The array 'x' ")) << length;
  }
  EXPECT_THAT(refused(file.substr(0, 9)), HasSubstr("is not in NumPy's .npy format"));
  EXPECT_THAT(refused(file.substr(0, 50)), HasSubstr("is cut off inside its header"));
  EXPECT_THAT(refused(file.substr(0, file.size() - 1)),
              HasSubstr("holds 15 bytes of elements, but its header announces 16."));
}

TEST(Npy, RefusesTrailingBytes) {
  EXPECT_THAT(refused(npy("<f4", "(1,)", raw<float>({1, 2}))), HasSubstr("holds 8 bytes of elements"));
}

TEST(Npy, RefusesHeadersThatReachBeyondTheFile) {
  EXPECT_THAT(refused("\x93NUMPY" + little(2, 2) + little(0xffffffff, 4) + "{"), HasSubstr("is cut off inside"));
  EXPECT_THAT(refused(std::string("\x93NUMPY\x02\x00\x00\x00", 10)), HasSubstr("is cut off inside"));
}

TEST(Npy, RefusesImpossibleShapes) {
  // 2^32 * 2^32, 2^62 * 4 bytes, 2^61 * 2^3, and what is negative.
  for (const char* shape : {"(4294967296, 4294967296)", "(4611686018427387904,)", "(2305843009213693952, 8)", "(-1,)",
                            "(-2, -2)", "(4294967296, 4294967296, 0)"}) {
    EXPECT_THAT(refused(npy("<f4", shape, "")), HasSubstr("its header announces an impossible shape.")) << shape;
  }
  EXPECT_THAT(refused(npy("<f4", "(1099511627776,)", "")), HasSubstr("its header announces 4398046511104."));
}

}  // namespace
}  // namespace mpq::data::testing
