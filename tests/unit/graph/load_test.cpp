#include <bit>
#include <cmath>
#include <cstring>

#include "graph/model_impl.h"
#include "model_files.h"
#include "support/hash.h"

namespace mpq::graph::testing {
namespace {

using namespace std::string_literals;

/// Wraps `depth` If nodes around an Identity.
onnx::ModelProto nested(int depth) {
  onnx::ModelProto model = small_model();
  onnx::GraphProto* graph = model.mutable_graph();
  auto* condition = graph->add_initializer();
  condition->set_name("condition");
  condition->set_data_type(onnx::TensorProto::BOOL);
  condition->set_raw_data("\1"s);
  for (int i = 0; i < depth; ++i) {
    auto* node = graph->add_node();
    node->set_op_type("If");
    node->add_input("condition");
    node->add_output("y" + std::to_string(i));
    onnx::GraphProto* inner = nullptr;
    for (const char* branch : {"else_branch", "then_branch"}) {
      auto* attribute = node->add_attribute();
      attribute->set_name(branch);
      attribute->set_type(onnx::AttributeProto::GRAPH);
      inner = attribute->mutable_g();
      inner->set_name("b");
      inner->add_output()->set_name("z" + std::to_string(i) + branch);
      auto* identity = inner->add_node();
      identity->set_op_type("Identity");
      identity->add_input("x");
      identity->add_output(inner->output(0).name());
    }
    graph = inner;
  }
  return model;
}

/// A weight of one float type through MatMul, stored in the given way.
onnx::ModelProto with_weight(int type, const std::function<void(onnx::TensorProto&)>& fill) {
  onnx::ModelProto model = small_model();
  auto& weight = *model.mutable_graph()->mutable_initializer(0);
  weight.clear_raw_data();
  weight.set_data_type(type);
  fill(weight);
  if (type != onnx::TensorProto::FLOAT) {
    model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(type);
    model.mutable_graph()->mutable_node(1)->set_op_type("Identity");
    model.mutable_graph()->mutable_node(1)->mutable_input()->RemoveLast();
  }
  return model;
}

using Load = ModelFiles;

TEST_F(Load, ReadsWhatTheFileHolds) {
  const onnx::ModelProto proto = small_model();
  const std::string file = write("model.onnx", proto);
  const Model model = Model::load(file);
  EXPECT_EQ(model.opset(), 17);
  EXPECT_EQ(model.ir_version(), 8);
  EXPECT_EQ(model.producer(), "mpq-test");
  EXPECT_EQ(model.facts().path, file);
  EXPECT_EQ(model.facts().bytes, static_cast<std::int64_t>(read(file).size()));
  Sha256 hash;
  hash.update(read(file));
  EXPECT_EQ(model.facts().sha256, hash.hex());
  EXPECT_FALSE(model.impl().had_external_data);
}

TEST_F(Load, MovesLargeTensorsIntoTheStore) {
  const Model model = load(small_model());
  const auto& graph = model.impl().proto.graph();
  EXPECT_TRUE(in_store(graph.initializer(0)));
  EXPECT_TRUE(graph.initializer(0).raw_data().empty());
  EXPECT_FALSE(in_store(graph.initializer(1)));
  EXPECT_EQ(model.impl().store->bytes(0).size(), 4096u);
}

TEST_F(Load, ReadsEveryFloatTypeExactly) {
  const auto fill16 = [](onnx::TensorProto& weight) {
    std::string raw;
    for (int i = 0; i < 1024; ++i) {
      const auto bits = static_cast<std::uint16_t>(i * 64 + i % 64);
      raw.append(reinterpret_cast<const char*>(&bits), sizeof bits);
    }
    weight.set_raw_data(raw);
  };
  const std::vector<float> half = load(with_weight(onnx::TensorProto::FLOAT16, fill16)).weight(0);
  const std::vector<float> brain = load(with_weight(onnx::TensorProto::BFLOAT16, fill16)).weight(0);
  ASSERT_EQ(half.size(), 1024u);
  for (std::size_t i = 0; i < 1024; ++i) {
    const unsigned bits = static_cast<unsigned>(i * 64 + i % 64);
    EXPECT_EQ(std::bit_cast<std::uint32_t>(brain[i]), bits << 16) << i;
    // IEEE 754-2008, 3.4: sign, 5 bits of exponent with bias 15, 10 bits of significand.
    const double sign = (bits & 0x8000u) != 0 ? -1 : 1;
    const int exponent = static_cast<int>((bits >> 10) & 31u);
    const double fraction = (bits & 1023u) / 1024.0;
    if (exponent == 31) {
      EXPECT_TRUE(fraction == 0 ? std::isinf(half[i]) && half[i] * sign > 0 : std::isnan(half[i])) << i;
    } else {
      EXPECT_EQ(half[i], sign * (exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1 + fraction, exponent - 15)))
          << i;
    }
  }
}

TEST_F(Load, ReadsTypedFields) {
  const auto doubles = load(with_weight(onnx::TensorProto::DOUBLE, [](onnx::TensorProto& weight) {
                         for (int i = 0; i < 1024; ++i) weight.add_double_data(i / 3.0);
                       })).weight(0);
  EXPECT_EQ(doubles[1000], static_cast<float>(1000 / 3.0));
  const auto floats = load(with_weight(onnx::TensorProto::FLOAT, [](onnx::TensorProto& weight) {
                        for (int i = 0; i < 1024; ++i) weight.add_float_data(static_cast<float>(i) * 0.5F);
                      })).weight(0);
  EXPECT_EQ(floats[1023], 511.5F);
  const auto halves = load(with_weight(onnx::TensorProto::FLOAT16, [](onnx::TensorProto& weight) {
                        for (int i = 0; i < 1024; ++i) weight.add_int32_data(0x3C00);
                      })).weight(0);
  EXPECT_EQ(halves[1023], 1.0F);
}

TEST_F(Load, AcceptsOpsets7To26) {
  for (const int opset : {7, 26}) {
    onnx::ModelProto model = small_model();
    model.mutable_opset_import(0)->set_version(opset);
    EXPECT_EQ(load(model).opset(), opset);
  }
}

TEST_F(Load, AcceptsNestedSubgraphs) { EXPECT_EQ(load(nested(25)).layers().size(), 1u); }

TEST_F(Load, RefusesSubgraphsNestedTooDeep) {
  for (const int depth : {40, 2000}) {
    const std::string file = write("deep.onnx", nested(depth));
    expect_error(load_error(file), ErrorCode::kInvalidInput, "nests its subgraphs deeper than 100", file);
  }
}

// Two bytes make a node of two hundred: nothing may be built before the parts are counted.
TEST_F(Load, RefusesMillionsOfEmptyNodes) {
  std::string nodes;
  for (int i = 0; i < (1 << 24) + 10; ++i) nodes += "\x0a\x00"s;
  onnx::ModelProto model;
  model.set_ir_version(8);
  std::string bytes = model.SerializeAsString() + "\x3a";
  for (std::size_t rest = nodes.size(); rest > 0; rest >>= 7)
    bytes += static_cast<char>((rest & 127u) | (rest > 127 ? 128u : 0u));
  const std::string file = write("many.onnx", bytes + nodes);
  expect_error(load_error(file), ErrorCode::kInvalidInput, "more than 16777216 parts", file);
}

TEST_F(Load, RefusesFilesOver2GiBAndNamesTheCure) {
  const std::string file = write("large.onnx", small_model());
  std::filesystem::resize_file(file, std::uintmax_t{1} << 31);  // sparse: takes no space
  const Error error = load_error(file);
  expect_error(error, ErrorCode::kInvalidInput, "has 2147483648 bytes, and protobuf files end at 2 GiB", file);
  EXPECT_THAT(error.hint(), ::testing::HasSubstr("external data"));
}

TEST_F(Load, RefusesFoldersMissingFilesAndPipes) {
  expect_error(load_error(folder_.string()), ErrorCode::kInvalidInput, "is a folder", folder_.string());
  EXPECT_EQ(load_error(path("missing.onnx")).code(), ErrorCode::kInvalidInput);
  ASSERT_EQ(::mkfifo(path("pipe.onnx").c_str(), 0600), 0);
  expect_error(load_error(path("pipe.onnx")), ErrorCode::kInvalidInput, "not a regular file", path("pipe.onnx"));
}

struct NoModel {
  const char* name;
  std::string content;
  const char* fragment;
};

class NotAModel : public ModelFiles, public ::testing::WithParamInterface<NoModel> {};

TEST_P(NotAModel, IsNamedForWhatItIs) {
  const std::string file = write("model.onnx", GetParam().content);
  expect_error(load_error(file), ErrorCode::kInvalidInput, GetParam().fragment, file);
}

INSTANTIATE_TEST_SUITE_P(
    Table, NotAModel,
    ::testing::Values(
        NoModel{"Empty", "", "The model file is empty"},
        NoModel{"Text", "This is not a model at all.", "cannot be read as protobuf"},
        NoModel{"Zeros", std::string(1000, '\0'), "cannot be read as protobuf"},
        NoModel{"AllOnes", std::string(1000, '\xff'), "cannot be read as protobuf"},
        NoModel{"LfsPointer", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n", "Git LFS pointer"},
        NoModel{"Zip", "PK\x03\x04"s + std::string(60, 'a'), "zip archive"},
        NoModel{"Pickle", "\x80\x02}q\x00X"s, "Python pickle"}, NoModel{"Hdf5", "\x89HDF\r\n\x1a\n"s, "HDF5"},
        NoModel{"TfLite", "\x1c\0\0\0TFL3"s + std::string(30, '\xff'), "TensorFlow Lite"},
        NoModel{"Ort", "\x1c\0\0\0ORTM"s + std::string(30, '\xff'), "own format (.ort)"},
        NoModel{"Gguf", "GGUF\3\0\0\0"s + std::string(30, '\xff'), "GGUF"},
        NoModel{"Gzip", "\x1f\x8b\x08"s + std::string(30, '\xff'), "gzip"},
        NoModel{"Npy", "\x93NUMPY\1\0"s, "NumPy array"}, NoModel{"WebPage", "<!DOCTYPE html><html></html>", "web page"},
        NoModel{"Json", "{\"model\": 1}", "JSON"},
        NoModel{"TruncatedTensor", small_model().SerializeAsString().substr(0, 3000), "is cut off or damaged"},
        NoModel{"TruncatedHeader", small_model().SerializeAsString().substr(0, 5), "is cut off or damaged"},
        NoModel{"OnlyIrVersion", small_model().SerializeAsString().substr(0, 2), "holds no graph"}),
    [](const auto& entry) { return std::string(entry.param.name); });

}  // namespace
}  // namespace mpq::graph::testing
