#include "data/folders.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "../support/folder.h"
#include "bytes.h"
#include "models.h"

namespace mpq::data::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class Folders : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& bytes) const {
    const std::filesystem::path path = folder_.file(name);
    std::filesystem::create_directories(path.parent_path());
    put(path.string(), bytes);
  }
  void write_floats(const std::string& name, const std::string& shape, const std::vector<float>& values) const {
    write(name, npy("<f4", shape, raw(values)));
  }
  std::string refused(const Model& model) const {
    return refusal(folder_.path(), [&] { feeds_of_npy_folder(folder_.path(), model, 0); });
  }
  TemporaryFolder folder_;
};

TEST_F(Folders, ListsFilesOfAnExtensionInOrder) {
  for (const char* name : {"b.npy", "a.NPY", "c.txt", "10.npy", "sub/d.npy"}) write(name, "");
  std::filesystem::create_directories(folder_.file("folder.npy"));
  std::vector<std::string> names;
  for (const auto& path : files_in(folder_.path(), ".npy")) names.push_back(path.filename().string());
  EXPECT_THAT(names, ElementsAre("10.npy", "a.NPY", "b.npy"));
}

TEST_F(Folders, FilesNamedAfterInputsHoldAllSamples) {
  write_floats("image.npy", "(2, 2)", {1, 2, 3, 4});
  write("ids.npy", npy("<i8", "(2,)", raw<std::int64_t>({5, 6})));
  write_floats("unrelated.npy", "(1,)", {1});
  const std::vector<Feed> feeds = feeds_of_npy_folder(folder_.path(), two_input_model(), 0);
  ASSERT_THAT(feeds, SizeIs(2));
  EXPECT_THAT(feeds[1].at("image").as<float>(), ElementsAre(3, 4));
  EXPECT_THAT(feeds[1].at("ids").as<std::int64_t>(), ElementsAre(6));
}

TEST_F(Folders, SlashesInNamesAreUnderscoresInFiles) {
  onnx::ModelProto proto = testing_models::parse(
      R"(<ir_version: 8, opset_import: ["" : 17]> g (float[N,2] x) => (float[N,2] y) { y = Identity(x) })", {});
  proto.mutable_graph()->mutable_input(0)->set_name("serving/x:0");
  proto.mutable_graph()->mutable_node(0)->set_input(0, "serving/x:0");
  write_floats("serving_x:0.npy", "(3, 2)", {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(feeds_of_npy_folder(folder_.path(), testing_models::load(proto), 0), SizeIs(3));
}

TEST_F(Folders, OtherFilesAreOneSampleEach) {
  write_floats("2.npy", "(2,)", {3, 4});
  write_floats("1.npy", "(1, 2)", {1, 2});
  write_floats("3.npy", "(2,)", {5, 6});
  const std::vector<Feed> feeds = feeds_of_npy_folder(folder_.path(), pair_model(), 2);
  ASSERT_THAT(feeds, SizeIs(2));
  EXPECT_THAT(feeds[0].at("x").as<float>(), ElementsAre(1, 2));
  EXPECT_THAT(feeds[1].at("x").shape(), ElementsAre(1, 2));
  EXPECT_THAT(feeds[1].at("x").as<float>(), ElementsAre(3, 4));
}

TEST_F(Folders, RefusesFilesThatBelongToNoInput) {
  write_floats("a.npy", "(1, 2)", {1, 2});
  write_floats("image.npy", "(1, 2)", {1, 2});
  EXPECT_THAT(refused(two_input_model()), HasSubstr("no array for the model's input 'ids'"));
}

TEST_F(Folders, NamesTheFileThatDoesNotFit) {
  write_floats("1.npy", "(2,)", {1, 2});
  write_floats("2.npy", "(3,)", {1, 2, 3});
  EXPECT_THAT(refusal(folder_.file("2.npy"), [&] { feeds_of_npy_folder(folder_.path(), pair_model(), 0); }),
              HasSubstr("The array '2.npy' has the shape [1, 3]"));
}

onnx::TensorProto tensor(const std::vector<std::int64_t>& dims, const std::vector<float>& values) {
  onnx::TensorProto result;
  result.set_data_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t extent : dims) result.add_dims(extent);
  for (const float value : values) result.add_float_data(value);
  return result;
}

class TensorSets : public Folders {
 protected:
  void write_tensor(const std::string& name, const onnx::TensorProto& proto) const {
    write(name, proto.SerializeAsString());
  }
  std::vector<Feed> feeds(std::int64_t limit = 0) const {
    return feeds_of_tensor_sets(folder_.path(), pair_model(), limit);
  }
  /// What a single set whose tensor is `proto` is refused for.
  std::string refused(const onnx::TensorProto& proto) const {
    write_tensor("test_data_set_0/input_0.pb", proto);
    return refusal(folder_.file("test_data_set_0/input_0.pb"), [&] { feeds(); });
  }
};

TEST_F(TensorSets, AreReadInTheOrderOfTheirNumbers) {
  for (const int set : {10, 9, 2}) {
    write_tensor("test_data_set_" + std::to_string(set) + "/input_0.pb", tensor({1, 2}, {static_cast<float>(set), 0}));
  }
  write("test_data_set_x/input_0.pb", "no set");
  ASSERT_TRUE(holds_tensor_sets(folder_.path()));
  std::vector<float> firsts;
  for (const Feed& feed : feeds()) firsts.push_back(feed.at("x").as<float>()[0]);
  EXPECT_THAT(firsts, ElementsAre(2, 9, 10));
  EXPECT_THAT(feeds(2), SizeIs(2));
}

TEST_F(TensorSets, ASetIsAFolderOfItsOwnToo) {
  EXPECT_FALSE(holds_tensor_sets(folder_.path()));
  onnx::TensorProto bytes = tensor({1, 2}, {});
  bytes.set_raw_data(raw<float>({5, 6}));
  write_tensor("input_0.pb", bytes);
  ASSERT_TRUE(holds_tensor_sets(folder_.path()));
  EXPECT_THAT(feeds()[0].at("x").as<float>(), ElementsAre(5, 6));
}

TEST_F(TensorSets, FeedInputsInTheGraphsOrder) {
  write_tensor("input_0.pb", tensor({1, 2}, {1, 2}));
  onnx::TensorProto ids;
  ids.set_data_type(onnx::TensorProto::INT64);
  ids.add_dims(1);
  ids.add_int64_data(42);
  write_tensor("input_1.pb", ids);
  const std::vector<Feed> found = feeds_of_tensor_sets(folder_.path(), two_input_model(), 0);
  EXPECT_THAT(found[0].at("ids").as<std::int64_t>(), ElementsAre(42));
  std::filesystem::remove(folder_.file("input_1.pb"));
  EXPECT_THAT(refusal(folder_.path(), [&] { feeds_of_tensor_sets(folder_.path(), two_input_model(), 0); }),
              HasSubstr("no input_1.pb for the model's input 'ids' (int64 [N])"));
}

TEST_F(TensorSets, RefuseDamagedTensors) {
  EXPECT_THAT(refused(tensor({1, 3}, {1, 2})), HasSubstr("announces 3 elements of type float32 but holds 8 bytes"));
  EXPECT_THAT(refused(tensor({std::int64_t{1} << 40, std::int64_t{1} << 40}, {1})), HasSubstr("impossible shape"));
  EXPECT_THAT(refused(tensor({-1}, {1})), HasSubstr("impossible shape"));
  onnx::TensorProto outside = tensor({1, 2}, {});
  outside.set_data_location(onnx::TensorProto::EXTERNAL);
  EXPECT_THAT(refused(outside), HasSubstr("keeps its data in another file"));
  onnx::TensorProto strings;
  strings.set_data_type(onnx::TensorProto::STRING);
  strings.add_dims(1);
  strings.add_string_data("a");
  EXPECT_THAT(refused(strings), HasSubstr("holds strings"));
  write("test_data_set_0/input_0.pb", "\xff\xff\xff rubbish");
  EXPECT_THAT(refusal(folder_.file("test_data_set_0/input_0.pb"), [&] { feeds(); }), HasSubstr("no ONNX tensor"));
}

}  // namespace
}  // namespace mpq::data::testing
