#include "graph/external_data.h"

#include "graph/model_impl.h"
#include "model_files.h"
#include "support/hash.h"

namespace mpq::graph::testing {
namespace {

namespace fs = std::filesystem;
using Entries = std::vector<std::pair<std::string, std::string>>;

void make_external(onnx::TensorProto& tensor, const Entries& entries) {
  tensor.clear_raw_data();
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  for (const auto& [key, value] : entries) {
    auto* entry = tensor.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
}

/// small_model() with the 4096 bytes of `w` moved out.
onnx::ModelProto with_external_weight(const Entries& entries) {
  onnx::ModelProto model = small_model();
  make_external(*model.mutable_graph()->mutable_initializer(0), entries);
  return model;
}

std::string weight_data() { return small_model().graph().initializer(0).raw_data(); }

using ExternalData = ModelFiles;

TEST_F(ExternalData, IsMappedFromBesideTheModel) {
  write("sub/w.bin", std::string(64, 'x') + weight_data());
  const Model model = load(with_external_weight({{"location", "sub/w.bin"}, {"offset", "64"}, {"length", "4096"}}));
  EXPECT_FLOAT_EQ(model.weight(0)[0], -0.48F);
  EXPECT_FLOAT_EQ(model.weight(0)[50], 0.02F);
  EXPECT_TRUE(model.impl().had_external_data);
  EXPECT_EQ(model.impl().store->size(), 1u);
}

TEST_F(ExternalData, NeedsNeitherOffsetNorLength) {
  write("w.bin", weight_data() + "more");
  EXPECT_FLOAT_EQ(load(with_external_weight({{"location", "w.bin"}})).weight(0)[1], -0.47F);
}

TEST_F(ExternalData, MayLieAtAnOddOffset) {
  write("w.bin", "x" + weight_data());
  const Model model = load(with_external_weight({{"location", "./w.bin"}, {"offset", "1"}}));
  const auto bytes = model.impl().store->bytes(0);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(float), 0u);
  EXPECT_FLOAT_EQ(model.weight(0)[0], -0.48F);
}

TEST_F(ExternalData, IsMappedWhereItsElementsAreAligned) {
  write("w.bin", "four" + weight_data());
  const Model four = load(with_external_weight({{"location", "./w.bin"}, {"offset", "4"}}));
  EXPECT_TRUE(four.impl().store->mapped(0));
  EXPECT_FLOAT_EQ(four.weight(0)[0], -0.48F);
  EXPECT_FLOAT_EQ(four.weight(0)[0], -0.48F);  // again, after its memory was given back
  const Model odd = load(with_external_weight({{"location", "./w.bin"}, {"offset", "3"}}));
  EXPECT_FALSE(odd.impl().store->mapped(0));
}

TEST_F(ExternalData, OfSmallTensorsComesIntoTheModel) {
  onnx::ModelProto proto = small_model();
  auto& bias = *proto.mutable_graph()->mutable_initializer(1);
  write("b.bin", bias.raw_data());
  const std::string data = bias.raw_data();
  make_external(bias, {{"location", "b.bin"}});
  const Model model = load(proto);
  EXPECT_EQ(model.impl().proto.graph().initializer(1).raw_data(), data);
  EXPECT_FALSE(model.impl().proto.graph().initializer(1).has_data_location());
}

TEST_F(ExternalData, CountsInSizeAndHashInNameOrder) {
  onnx::ModelProto proto = small_model();
  auto& weight = *proto.mutable_graph()->mutable_initializer(0);
  auto& bias = *proto.mutable_graph()->mutable_initializer(1);
  write("z.bin", weight.raw_data());
  write("a.bin", bias.raw_data() + "tail");
  const std::string z = weight.raw_data(), a = bias.raw_data() + "tail";
  make_external(weight, {{"location", "z.bin"}});
  make_external(bias, {{"location", "a.bin"}});
  const std::string file = proto.SerializeAsString();
  Sha256 hash;
  hash.update(file + a + z);
  const Model model = load(proto);
  EXPECT_EQ(model.facts().sha256, hash.hex());
  EXPECT_EQ(model.facts().bytes, static_cast<std::int64_t>(file.size() + a.size() + z.size()));
}

// Download caches keep the model and its data as links into one folder of blobs.
TEST_F(ExternalData, MayBeLinkedWhereTheModelIsLinked) {
  write("blobs/1", with_external_weight({{"location", "w.bin"}}));
  write("blobs/2", weight_data());
  fs::create_directories(folder_ / "snapshot");
  fs::create_symlink("../blobs/1", folder_ / "snapshot/model.onnx");
  fs::create_symlink("../blobs/2", folder_ / "snapshot/w.bin");
  EXPECT_FLOAT_EQ(Model::load(path("snapshot/model.onnx")).weight(0)[0], -0.48F);
}

TEST_F(ExternalData, MayBeALinkInsideTheFolder) {
  write("real.bin", weight_data());
  fs::create_symlink("real.bin", folder_ / "w.bin");
  EXPECT_FLOAT_EQ(load(with_external_weight({{"location", "w.bin"}})).weight(0)[0], -0.48F);
}

TEST_F(ExternalData, OfConstantNodesInSubgraphsIsFound) {
  write("w.bin", weight_data());
  onnx::ModelProto proto = from_text(R"(<ir_version: 8, opset_import: ["" : 17]>
    g (float[1,32] x, bool c) => (float[1,32] y) {
      y = If (c) <then_branch = t () => (float[1,32] a) { k = Constant <value = float[1] {1}> ()  a = MatMul(x, k) },
                  else_branch = e () => (float[1,32] b) { b = Identity(x) }>
    })");
  auto* node = proto.mutable_graph()->mutable_node(0);
  for (auto& attribute : *node->mutable_attribute()) {
    if (attribute.name() != "then_branch") continue;
    auto& tensor = *attribute.mutable_g()->mutable_node(0)->mutable_attribute(0)->mutable_t();
    tensor = small_model().graph().initializer(0);
    make_external(tensor, {{"location", "w.bin"}});
  }
  EXPECT_EQ(load(proto).impl().store->size(), 1u);
}

struct BadReference {
  const char* name;
  Entries entries;
  const char* fragment;
};

const std::vector<BadReference>& bad_references() {
  static const std::vector<BadReference> table = {
      {"NoLocation", {{"offset", "0"}}, "names no file (entry 'location')"},
      {"EmptyLocation", {{"location", ""}}, "names no file"},
      {"Missing", {{"location", "nowhere.bin"}}, "is in 'nowhere.bin', but there is no such file"},
      {"Absolute", {{"location", "/etc/hostname"}}, "'/etc/hostname', an absolute path"},
      {"AbsoluteDrive", {{"location", "C:\\w.bin"}}, "an absolute path"},
      {"AbsoluteBackslash", {{"location", "\\\\host\\w.bin"}}, "an absolute path"},
      {"Parent", {{"location", "../w.bin"}}, "'../w.bin', a path that leaves the model's folder"},
      {"HiddenParent", {{"location", "sub/../../w.bin"}}, "a path that leaves the model's folder"},
      {"Folder", {{"location", "sub"}}, "which is not a regular file"},
      {"ModelFolder", {{"location", "."}}, "which is not a regular file"},
      {"Pipe", {{"location", "pipe"}}, "which is not a regular file"},
      {"LinkOutside", {{"location", "link.bin"}}, "a symbolic link that leaves the model's folder"},
      {"LinkedFolderOutside", {{"location", "linked/hostname"}}, "a symbolic link that leaves the model's folder"},
      {"BrokenLink", {{"location", "broken.bin"}}, "there is no such file"},
      {"ZeroByte", {{"location", std::string("w.bin\0x", 7)}}, "holds a zero byte"},
      {"RuntimeAddress", {{"location", "*/_ORT_MEM_ADDR_/*"}, {"offset", "4096"}}, "there is no such file"},
      {"StoreMark", {{"location", "#0"}}, "is in '#0', but there is no such file"},
      {"TooShort",
       {{"location", "short.bin"}},
       "too short for the initializer 'w': it has 100 bytes, and 4096 are wanted"},
      {"OffsetBehindEnd", {{"location", "w.bin"}, {"offset", "5000"}}, "are wanted from byte 5000"},
      {"EndBehindEnd", {{"location", "w.bin"}, {"offset", "1"}}, "are wanted from byte 1"},
      {"HugeOffset", {{"location", "w.bin"}, {"offset", "9223372036854775807"}}, "from byte 9223372036854775807"},
      {"OffsetOverflow", {{"location", "w.bin"}, {"offset", "18446744073709551617"}}, "is not a number of bytes"},
      {"NegativeOffset", {{"location", "w.bin"}, {"offset", "-1"}}, "external offset of the initializer 'w' is '-1'"},
      {"OffsetNoNumber", {{"location", "w.bin"}, {"offset", "0x10"}}, "is '0x10', which is not a number of bytes"},
      {"EmptyOffset", {{"location", "w.bin"}, {"offset", ""}}, "is '', which is not a number of bytes"},
      {"LengthNoNumber", {{"location", "w.bin"}, {"length", "4096 "}}, "external length"},
      {"LengthTooSmall",
       {{"location", "w.bin"}, {"length", "4095"}},
       "is 4095 bytes long, but its dims and type need 4096"},
      {"LengthTooLarge", {{"location", "w.bin"}, {"length", "8192"}}, "is 8192 bytes long"},
      {"LocationTwice", {{"location", "w.bin"}, {"location", "short.bin"}}, "gives its location twice"},
      {"OffsetTwice", {{"location", "w.bin"}, {"offset", "0"}, {"offset", "0"}}, "gives its offset twice"},
      {"LengthTwice", {{"location", "w.bin"}, {"length", "1"}, {"length", "2"}}, "gives its length twice"},
  };
  return table;
}

class BadExternalData : public ModelFiles, public ::testing::WithParamInterface<BadReference> {
 protected:
  void SetUp() override {
    ModelFiles::SetUp();
    write("w.bin", weight_data());
    write("short.bin", std::string(100, 'x'));
    fs::create_directories(folder_ / "sub");
    ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
    fs::create_symlink("/etc/hostname", folder_ / "link.bin");
    fs::create_symlink("/etc", folder_ / "linked");
    fs::create_symlink("gone", folder_ / "broken.bin");
  }
};

TEST_P(BadExternalData, IsRefusedByName) {
  const std::string file = write("model.onnx", with_external_weight(GetParam().entries));
  expect_error(load_error(file), ErrorCode::kInvalidInput, GetParam().fragment, file);
}

INSTANTIATE_TEST_SUITE_P(Table, BadExternalData, ::testing::ValuesIn(bad_references()),
                         [](const auto& entry) { return std::string(entry.param.name); });

TEST_F(ExternalData, OfAStringTensorIsRefused) {
  write("w.bin", weight_data());
  onnx::ModelProto model = with_external_weight({{"location", "w.bin"}});
  model.mutable_graph()->mutable_initializer(0)->set_data_type(onnx::TensorProto::STRING);
  const std::string file = write("model.onnx", model);
  expect_error(load_error(file), ErrorCode::kInvalidInput,
               "element type (string) of the initializer 'w' make no number of bytes", file);
}

TEST_F(ExternalData, WithHugeDimsAllocatesNothing) {
  write("w.bin", weight_data());
  onnx::ModelProto model = with_external_weight({{"location", "w.bin"}});
  model.mutable_graph()->mutable_initializer(0)->set_dims(0, std::int64_t{1} << 40);
  const std::string file = write("model.onnx", model);
  expect_error(load_error(file), ErrorCode::kInvalidInput, "is too short for the initializer 'w'", file);
}

TEST_F(ExternalData, BesideInlineDataIsRefused) {
  write("w.bin", weight_data());
  onnx::ModelProto model = with_external_weight({{"location", "w.bin"}});
  model.mutable_graph()->mutable_initializer(0)->add_float_data(1);
  const std::string file = write("model.onnx", model);
  expect_error(load_error(file), ErrorCode::kInvalidInput, "the model file holds numbers for it too", file);
}

}  // namespace
}  // namespace mpq::graph::testing
