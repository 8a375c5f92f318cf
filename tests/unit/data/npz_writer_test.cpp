#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>

#include "mpq/error.h"
#include "mpq/samples.h"

#include "../support/folder.h"
#include "data/npy.h"
#include "data/zip.h"
#include "support/files.h"

namespace mpq {
namespace {

Tensor counted(DType type, std::vector<std::int64_t> shape) {
  Tensor tensor(type, std::move(shape));
  const std::size_t factor = type == DType::kBool ? 1 : 7, values = type == DType::kBool ? 2 : 256;
  for (std::size_t i = 0; i < tensor.size_bytes(); ++i)
    tensor.mutable_data()[i] = static_cast<std::byte>(i * factor % values);
  return tensor;
}

TEST(NpzWriter, IsReadBackAsItWas) {
  const TemporaryFolder folder;
  const std::string path = folder.file("out.npz");
  Feed arrays;
  for (const DType type : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kInt8, DType::kInt64,
                           DType::kUInt8, DType::kUInt32, DType::kBool}) {
    arrays.emplace(std::string("a_") + dtype_name(type), counted(type, {2, 3}));
  }
  arrays.emplace("scalar", counted(DType::kFloat32, {}));
  arrays.emplace("vector", counted(DType::kInt32, {5}));
  arrays.emplace("empty", counted(DType::kFloat32, {0, 4}));
  write_npz(path, arrays, false);
  const auto file = std::make_shared<MappedFile>(path);
  const data::Bytes archive{file->bytes(), file};
  const auto members = data::list_zip(archive.view, path);
  ASSERT_EQ(members.size(), arrays.size());
  for (const auto& member : members) {
    const std::string name = member.name.substr(0, member.name.size() - 4);
    const Tensor& expected = arrays.at(name);
    const Tensor found = data::whole(data::parse_npy(data::extract(archive, member, path), name, path));
    EXPECT_EQ(found.type(), expected.type()) << name;
    EXPECT_EQ(found.shape(), expected.shape()) << name;
    EXPECT_TRUE(std::equal(found.data(), found.data() + found.size_bytes(), expected.data())) << name;
  }
}

TEST(NpzWriter, RefusesStringsAndLeavesExistingFilesAlone) {
  const TemporaryFolder folder;
  const std::string path = folder.file("out.npz");
  EXPECT_THROW(write_npz(path, {{"text", Tensor(DType::kString, {2})}}, false), Error);
  write_npz(path, {}, false);
  EXPECT_THROW(write_npz(path, {}, false), Error);
}

TEST(Stacked, PutsEqualShapesOnALeadingAxis) {
  const Feed both = stacked({{{"a", counted(DType::kInt8, {3})}}, {{"a", counted(DType::kInt8, {3})}}});
  EXPECT_EQ(both.at("a").shape(), (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(both.at("a").as<std::int8_t>()[4], 7);
}

TEST(Stacked, KeepsUnequalShapesApart) {
  const Feed apart = stacked({{{"a", counted(DType::kInt8, {3})}}, {{"a", counted(DType::kInt8, {2})}}, {}});
  EXPECT_EQ(apart.size(), 2U);
  EXPECT_EQ(apart.at("a_1").shape(), (std::vector<std::int64_t>{2}));
}

}  // namespace
}  // namespace mpq
