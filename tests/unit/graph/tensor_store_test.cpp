#include "graph/tensor_store.h"

#include <cstring>

#include <gmock/gmock.h>

#include "mpq/error.h"

namespace mpq::graph {
namespace {

using onnx::TensorProto;

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TensorProto raw_tensor(std::size_t bytes) {
  TensorProto tensor;
  tensor.set_name("t");
  tensor.set_data_type(TensorProto::UINT8);
  tensor.add_dims(static_cast<std::int64_t>(bytes));
  tensor.set_raw_data(std::string(bytes, 'r'));
  return tensor;
}

TEST(TensorStore, KeepsBytesAliveWithTheirOwner) {
  TensorStore store;
  {
    auto owner = std::make_shared<std::string>(2000, 'a');
    store.add(std::as_bytes(std::span(std::as_const(*owner))), owner);
  }
  EXPECT_EQ(text(store.bytes(0)), std::string(2000, 'a'));
  EXPECT_EQ(store.field(0), TensorField::kRaw);
  EXPECT_THROW(store.bytes(1), std::out_of_range);
}

TEST(TensorStore, TakesTensorsFromTheThresholdOn) {
  TensorStore store;
  TensorProto small = raw_tensor(kStoreThresholdBytes - 1), large = raw_tensor(kStoreThresholdBytes);
  move_to_store(small, store);
  move_to_store(large, store);
  EXPECT_FALSE(in_store(small));
  ASSERT_TRUE(in_store(large));
  EXPECT_EQ(store_index(large), 0u);
  EXPECT_EQ(large.name(), "t");
  EXPECT_EQ(large.dims(0), 1024);
  EXPECT_EQ(large.external_data(1).key(), "length");
  EXPECT_EQ(large.external_data(1).value(), "1024");
  std::string scratch;
  EXPECT_EQ(text(raw_bytes(large, store, scratch)), std::string(1024, 'r'));
  EXPECT_EQ(text(raw_bytes(small, store, scratch)), std::string(1023, 'r'));
}

TEST(TensorStore, LeavesStringsAndDoubtfulTensorsAlone) {
  TensorStore store;
  TensorProto strings;
  for (int i = 0; i < 1000; ++i) strings.add_string_data("some words");
  move_to_store(strings, store);
  TensorProto twice = raw_tensor(2000);
  twice.add_int32_data(1);
  move_to_store(twice, store);
  TensorProto cut = raw_tensor(0);
  for (int i = 0; i < 2000; ++i) cut.add_int32_data(256);
  move_to_store(cut, store);
  EXPECT_EQ(store.size(), 0u);
}

TEST(TensorStore, RefusesTensorsItDoesNotHold) {
  EXPECT_THROW(store_index(raw_tensor(3)), Error);
  TensorProto tensor = raw_tensor(0);
  tensor.set_data_location(TensorProto::EXTERNAL);
  EXPECT_FALSE(in_store(tensor));
  auto* entry = tensor.add_external_data();
  entry->set_key("location");
  for (const char* location : {"weights.bin", "#", ""}) {
    entry->set_value(location);
    EXPECT_FALSE(in_store(tensor)) << location;
  }
  for (const char* location : {"#1x", "#-1", "#99999999999999999999999"}) {
    entry->set_value(location);
    EXPECT_THROW(store_index(tensor), Error) << location;
  }
}

TEST(RawBytes, ConvertTypedFieldsAsRuntimesDo) {
  const TensorStore store;
  std::string scratch;
  TensorProto tensor;
  for (const int value : {1, -1, 300}) tensor.add_int32_data(value);
  tensor.set_data_type(TensorProto::INT8);
  EXPECT_THAT(text(raw_bytes(tensor, store, scratch)), "\x01\xff\x2c");
  tensor.set_data_type(TensorProto::UINT4);  // one byte, two elements, per entry
  EXPECT_EQ(raw_bytes(tensor, store, scratch).size(), 3u);
  tensor.set_data_type(TensorProto::FLOAT16);
  EXPECT_EQ(raw_bytes(tensor, store, scratch).size(), 6u);
  tensor.set_data_type(TensorProto::INT32);
  EXPECT_EQ(raw_bytes(tensor, store, scratch).size(), 12u);
  TensorProto words;
  words.set_data_type(TensorProto::UINT32);
  words.add_uint64_data(0x01020304);
  EXPECT_EQ(text(raw_bytes(words, store, scratch)), "\x04\x03\x02\x01");
  EXPECT_TRUE(raw_bytes(TensorProto(), store, scratch).empty());
}

TEST(RawBytes, LieWhereEveryElementTypeMayBeRead) {
  TensorStore store;
  TensorProto tensor = raw_tensor(4096);
  move_to_store(tensor, store);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(store.bytes(0).data()) % 8, 0u);
}

}  // namespace
}  // namespace mpq::graph
