#include <limits>
#include <random>

#include <onnx/checker.h>

#include "graph/model_impl.h"
#include "model_files.h"

namespace mpq::graph::testing {
namespace {

using namespace std::string_literals;
using onnx::ModelProto;
using onnx::TensorProto;

/// Adds an initializer of 300 elements of the type, with `fill` called for every element.
template <typename Fill>
TensorProto& add_tensor(ModelProto& model, const std::string& name, int type, const Fill& fill) {
  auto* tensor = model.mutable_graph()->add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(type);
  tensor->add_dims(300);
  for (int i = 0; i < 300; ++i) fill(*tensor, i);
  return *tensor;
}

/// Tensors in every typed field, with values that take one, several and ten bytes as varints.
ModelProto typed_model() {
  ModelProto model = small_model();
  const int lowest = std::numeric_limits<int>::min();
  add_tensor(model, "f", TensorProto::FLOAT,
             [](TensorProto& t, int i) { t.add_float_data(static_cast<float>(i) / 7); });
  add_tensor(model, "d", TensorProto::DOUBLE, [](TensorProto& t, int i) { t.add_double_data(i / 7.0); });
  add_tensor(model, "i64", TensorProto::INT64,
             [](TensorProto& t, int i) { t.add_int64_data((i - 150) * 12345678901LL); });
  add_tensor(model, "u64", TensorProto::UINT64,
             [](TensorProto& t, int i) { t.add_uint64_data(~0ULL - 7u * static_cast<unsigned>(i)); });
  add_tensor(model, "u32", TensorProto::UINT32,
             [](TensorProto& t, int i) { t.add_uint64_data(0xFFFFFFFFu - static_cast<unsigned>(i)); });
  add_tensor(model, "i32", TensorProto::INT32, [=](TensorProto& t, int i) { t.add_int32_data(lowest + i * 1000003); });
  add_tensor(model, "c64", TensorProto::COMPLEX64, [](TensorProto& t, int i) {
    t.add_float_data(static_cast<float>(i));
    t.add_float_data(-1);
  });
  // 16- and 8-bit tensors need more than 300 elements to reach the store.
  for (const auto& [name, type] : std::vector<std::pair<std::string, int>>{{"i16", TensorProto::INT16},
                                                                           {"u16", TensorProto::UINT16},
                                                                           {"i8", TensorProto::INT8},
                                                                           {"u8", TensorProto::UINT8},
                                                                           {"f16", TensorProto::FLOAT16},
                                                                           {"bool", TensorProto::BOOL}}) {
    TensorProto& tensor = add_tensor(model, name, type, [](TensorProto&, int) {});
    tensor.set_dims(0, 1500);
    for (int i = 0; i < 1500; ++i) {
      const int low = name == "bool" ? i % 2 : name[0] == 'i' ? i % 256 - 128 : i % 256;
      tensor.add_int32_data(name.ends_with("16") ? low * 100 : low);
    }
  }
  TensorProto& packed = add_tensor(model, "i4", TensorProto::INT4, [](TensorProto&, int) {});
  packed.set_dims(0, 4000);
  for (int i = 0; i < 2000; ++i) packed.add_int32_data(i % 256);
  model.mutable_graph()->mutable_initializer(2)->set_doc_string("written behind the data");
  return model;
}

/// Everything beside the graph: functions, metadata, training graphs, sparse tensors, subgraphs, unknown fields.
ModelProto rich_model() {
  ModelProto model = from_text(R"(<ir_version: 10, opset_import: ["" : 17, "local" : 1],
      producer_name: "p", model_version: 3, doc_string: "d", metadata_props: ["k": "v"]>
    g (float[1,32] x, bool c) => (float[1,32] y) {
      h = local.F(x)
      y = If (c) <then_branch = t () => (float[1,32] a) { k = Constant <value = float[1] {1}> ()  a = MatMul(h, k) },
                  else_branch = e () => (float[1,32] b) { b = Identity(h) }>
    }
    <domain: "local", opset_import: ["" : 17]>
    F (a) => (b) { k = Constant <value = float[1] {1}> ()  b = MatMul(a, k) })");
  const TensorProto weight = small_model().graph().initializer(0);
  *model.mutable_functions(0)->mutable_node(0)->mutable_attribute(0)->mutable_t() = weight;
  for (auto& attribute : *model.mutable_graph()->mutable_node(1)->mutable_attribute()) {
    if (attribute.name() != "then_branch") continue;
    *attribute.mutable_g()->mutable_node(0)->mutable_attribute(0)->mutable_t() = weight;
  }
  auto* sparse = model.mutable_graph()->add_sparse_initializer();
  sparse->add_dims(4000);
  *sparse->mutable_values() = weight;
  sparse->mutable_values()->clear_dims();
  sparse->mutable_values()->add_dims(1024);
  sparse->mutable_indices()->set_data_type(TensorProto::INT64);
  sparse->mutable_indices()->add_dims(1024);
  for (int i = 0; i < 1024; ++i) sparse->mutable_indices()->add_int64_data(i * 3);
  *model.add_training_info()->mutable_algorithm()->add_initializer() = weight;
  return model;
}

/// Appends fields no ONNX version defines: varint, fixed, bytes and a group.
std::string with_unknown_fields(const std::string& bytes) {
  return bytes + "\xa0\x3f\x07"s + "\xa9\x3f\1\2\3\4\5\6\7\x08"s + "\xb2\x3f\x03xyz"s +
         "\xbb\x3f\xc0\x3f\x01\xbc\x3f"s + "\xc5\x3f\1\2\3\4"s;
}

class Save : public ModelFiles {
 protected:
  /// Loads what `bytes` holds and writes it again in one file.
  std::string round_trip(const std::string& bytes) {
    const Model model = Model::load(write("in.onnx", bytes));
    const Serialized written = write_model(model.impl().proto, *model.impl().store, path("out.onnx"), "", true);
    const Serialized size = serialized_size(model.impl().proto, *model.impl().store, "");
    const std::string out = read(path("out.onnx"));
    EXPECT_EQ(written.model_bytes, static_cast<std::int64_t>(out.size()));
    EXPECT_EQ(size.model_bytes, written.model_bytes);
    EXPECT_EQ(written.external_bytes, 0);
    return out;
  }
};

TEST_F(Save, WritesAnUntouchedModelByteForByte) {
  for (const ModelProto& model : {small_model(), typed_model(), rich_model()}) {
    const std::string bytes = model.SerializeAsString();
    EXPECT_TRUE(round_trip(bytes) == bytes);
  }
}

TEST_F(Save, WritesARealModelByteForByte) {
  const std::string bytes = read(MPQ_REAL_MODEL);
  ASSERT_FALSE(bytes.empty());
  EXPECT_TRUE(round_trip(bytes) == bytes);
}

TEST_F(Save, KeepsFieldsItDoesNotKnow) {
  const std::string bytes = with_unknown_fields(small_model().SerializeAsString());
  EXPECT_TRUE(round_trip(bytes) == bytes);
  ModelProto model = small_model();
  TensorProto tensor;  // an unknown field inside of a tensor that goes through the store
  ASSERT_TRUE(tensor.ParseFromString(with_unknown_fields(model.graph().initializer(0).SerializeAsString())));
  *model.mutable_graph()->mutable_initializer(0) = tensor;
  EXPECT_TRUE(round_trip(model.SerializeAsString()) == model.SerializeAsString());
}

// An exporter may write fields in any order and repeated numbers unpacked; the model stays the same.
TEST_F(Save, KeepsTheMeaningOfUnusualEncodings) {
  const ModelProto model = typed_model();
  onnx::GraphProto first = model.graph(), second;
  second.mutable_initializer()->Swap(first.mutable_initializer());
  ModelProto rest = model;
  rest.clear_graph();
  ModelProto part;
  *part.mutable_graph() = second;
  ModelProto other;
  *other.mutable_graph() = first;
  const std::string unusual = part.SerializeAsString() + rest.SerializeAsString() + other.SerializeAsString();
  EXPECT_TRUE(round_trip(unusual) == model.SerializeAsString());
}

// Values a runtime would cut off are no business of ours: they stay in their field.
TEST_F(Save, KeepsTypedValuesThatDoNotFit) {
  ModelProto model = small_model();
  add_tensor(model, "u8", TensorProto::UINT8, [](TensorProto&, int) {}).set_dims(0, 2000);
  for (int i = 0; i < 2000; ++i) model.mutable_graph()->mutable_initializer(2)->add_int32_data(i);
  EXPECT_TRUE(round_trip(model.SerializeAsString()) == model.SerializeAsString());
}

TEST_F(Save, LaysOutExternalDataOnBoundaries) {
  const ModelProto proto = rich_model();
  const Model model = Model::load(write("in.onnx", proto));
  const Serialized written = write_model(model.impl().proto, *model.impl().store, path("out.onnx"), "out.data", false);
  const Serialized size = serialized_size(model.impl().proto, *model.impl().store, "out.data");
  EXPECT_EQ(written.model_bytes, static_cast<std::int64_t>(std::filesystem::file_size(path("out.onnx"))));
  EXPECT_EQ(written.external_bytes, static_cast<std::int64_t>(std::filesystem::file_size(path("out.data"))));
  EXPECT_EQ(size.model_bytes, written.model_bytes);
  EXPECT_EQ(size.external_bytes, written.external_bytes);

  ModelProto file;
  ASSERT_TRUE(file.ParseFromString(read(path("out.onnx"))));
  const TensorProto& tensor = file.functions(0).node(0).attribute(0).t();
  EXPECT_EQ(tensor.data_location(), TensorProto::EXTERNAL);
  ASSERT_EQ(tensor.external_data_size(), 3);
  EXPECT_EQ(tensor.external_data(0).value(), "out.data");
  EXPECT_EQ(std::stoll(tensor.external_data(1).value()) % 64, 0);
  EXPECT_EQ(tensor.external_data(2).value(), "4096");

  const Model again = Model::load(path("out.onnx"));
  EXPECT_TRUE(again.impl().had_external_data);
  EXPECT_EQ(again.facts().bytes, written.model_bytes + written.external_bytes);
  write_model(again.impl().proto, *again.impl().store, path("back.onnx"), "", false);
  // Typed fields become raw data in an external file; everything else comes back as it was.
  ModelProto back, expected = proto;
  ASSERT_TRUE(back.ParseFromString(read(path("back.onnx"))));
  auto* indices = expected.mutable_graph()->mutable_sparse_initializer(0)->mutable_indices();
  indices->set_raw_data(indices->int64_data().data(), 1024 * sizeof(std::int64_t));
  indices->clear_int64_data();
  EXPECT_TRUE(back.SerializeAsString() == expected.SerializeAsString());
}

TEST_F(Save, PutsInlineRawDataOutsideToo) {
  ModelProto skeleton = small_model();
  const TensorStore empty;
  const Serialized written = write_model(skeleton, empty, path("out.onnx"), "sub.data", false);
  EXPECT_EQ(written.external_bytes, 4096);
  EXPECT_EQ(read(path("sub.data")), skeleton.graph().initializer(0).raw_data());
  EXPECT_NO_THROW(onnx::checker::check_model(path("out.onnx")));
}

TEST_F(Save, MakesNoExternalFileWithoutLargeTensors) {
  ModelProto skeleton = small_model();
  skeleton.mutable_graph()->mutable_initializer()->DeleteSubrange(0, 1);
  const Serialized written = write_model(skeleton, TensorStore(), path("out.onnx"), "out.data", false);
  EXPECT_EQ(written.external_bytes, 0);
  EXPECT_FALSE(std::filesystem::exists(path("out.data")));
}

TEST_F(Save, WritesTheSameBytesEveryTime) {
  const Model model = Model::load(write("in.onnx", rich_model()));
  for (const char* name : {"1.onnx", "2.onnx"}) {
    write_model(model.impl().proto, *model.impl().store, path(name), "shared.data", true);
  }
  EXPECT_TRUE(read(path("1.onnx")) == read(path("2.onnx")));
}

TEST_F(Save, RefusesMoreThan2GiBInOneFile) {
  ModelProto skeleton = small_model();
  auto& tensor = *skeleton.mutable_graph()->mutable_initializer(0);
  TensorStore store;
  // Two references to one block: the size is what counts, nothing is written.
  const auto block = std::make_shared<std::string>(std::size_t{1} << 20, '\0');
  const std::size_t index = store.add(std::as_bytes(std::span(*block)), block);
  point_to_store(tensor, index, block->size());
  for (int i = 0; i < 2048; ++i) *skeleton.mutable_graph()->add_initializer() = tensor;
  try {
    write_model(skeleton, store, path("out.onnx"), "", true);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kOutput);
    EXPECT_THAT(error.hint(), ::testing::HasSubstr("external data"));
  }
  EXPECT_FALSE(std::filesystem::exists(path("out.onnx")));
  EXPECT_GT(serialized_size(skeleton, store, "").model_bytes, std::int64_t{2049} << 20);
  EXPECT_EQ(serialized_size(skeleton, store, "w.data").external_bytes, std::int64_t{2049} << 20);
}

TEST_F(Save, RefusesExternalNamesOutsideOfTheFolder) {
  for (const char* name : {"../w.data", "/tmp/w.data", ".", "out.onnx", "a/../../w.data"}) {
    try {
      write_model(small_model(), TensorStore(), path("out.onnx"), name, true);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kOutput);
    }
    EXPECT_FALSE(std::filesystem::exists(path("out.onnx")));
  }
}

TEST_F(Save, OverwritesOnlyWhenForced) {
  write("out.onnx", "old"s);
  EXPECT_THROW(write_model(small_model(), TensorStore(), path("out.onnx"), "", false), Error);
  EXPECT_EQ(read(path("out.onnx")), "old");
  write("w.data", "old"s);
  EXPECT_THROW(write_model(small_model(), TensorStore(), path("new.onnx"), "w.data", false), Error);
  EXPECT_FALSE(std::filesystem::exists(path("new.onnx")));
  EXPECT_NO_THROW(write_model(small_model(), TensorStore(), path("out.onnx"), "w.data", true));
}

}  // namespace
}  // namespace mpq::graph::testing
