#include "graph/wire.h"

#include <vector>

#include <gmock/gmock.h>
#include <onnx/onnx_pb.h>

namespace mpq::graph {
namespace {

using namespace std::string_literals;

bool damaged(const std::string& bytes) {
  WireReader reader(bytes);
  while (reader.next()) {
  }
  return reader.damaged();
}

TEST(WireReader, WalksEveryWireType) {
  const std::string bytes =
      "\x08\x96\x01"s + "\x11\1\2\3\4\5\6\7\x08"s + "\x1a\x02hi"s + "\x23\x08\x01\x24"s + "\x2d\1\2\3\4"s;
  WireReader reader(bytes);
  std::vector<std::uint32_t> numbers;
  std::string copied, content;
  while (const auto field = reader.next()) {
    numbers.push_back(field->number);
    copied += field->whole;
    content += field->content;
  }
  EXPECT_THAT(numbers, ::testing::ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(copied, bytes);
  EXPECT_EQ(content, "hi");
  EXPECT_FALSE(reader.damaged());
}

TEST(WireReader, StopsAtDamage) {
  for (const std::string& bytes :
       {"\x08"s, "\x08\x80"s, "\x11\1\2"s, "\x1a\x05hi"s, "\x23\x08\x01"s, "\x23\x08\x01\x2c"s, "\x2d\1"s, "\x0e"s,
        "\x0f"s, "\x24"s, "\x00\x01"s, "\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s, std::string(11, '\xff')}) {
    EXPECT_TRUE(damaged(bytes)) << ::testing::PrintToString(bytes);
  }
  EXPECT_FALSE(damaged(""));
}

TEST(WireReader, SurvivesDeepGroups) {
  const std::string open(1000000, '\x0b'), close(1000000, '\x0c');
  EXPECT_FALSE(damaged(open + close));
  EXPECT_TRUE(damaged(open));
}

TEST(Varint, HasProtobufsSizeAndBytes) {
  for (const std::uint64_t value : {0ULL, 1ULL, 127ULL, 128ULL, 16383ULL, 16384ULL, 1ULL << 35, ~0ULL}) {
    std::string bytes;
    append_varint(bytes, value);
    EXPECT_EQ(static_cast<int>(bytes.size()), varint_size(value)) << value;
    onnx::TensorProto tensor;  // uint64_data, one value
    tensor.add_uint64_data(value);
    EXPECT_EQ(tensor.SerializeAsString(), "\x5a" + std::string(1, static_cast<char>(bytes.size())) + bytes);
  }
}

// The table must name ONNX's own field numbers.
TEST(ChildKind, AgreesWithOnnx) {
  using onnx::AttributeProto;
  using Kind = MessageKind;
  EXPECT_EQ(child_kind(Kind::kModel, onnx::ModelProto::kGraphFieldNumber), Kind::kGraph);
  EXPECT_EQ(child_kind(Kind::kModel, onnx::ModelProto::kTrainingInfoFieldNumber), Kind::kTraining);
  EXPECT_EQ(child_kind(Kind::kModel, onnx::ModelProto::kFunctionsFieldNumber), Kind::kFunction);
  EXPECT_EQ(child_kind(Kind::kTraining, onnx::TrainingInfoProto::kInitializationFieldNumber), Kind::kGraph);
  EXPECT_EQ(child_kind(Kind::kTraining, onnx::TrainingInfoProto::kAlgorithmFieldNumber), Kind::kGraph);
  EXPECT_EQ(child_kind(Kind::kFunction, onnx::FunctionProto::kNodeFieldNumber), Kind::kNode);
  EXPECT_EQ(child_kind(Kind::kFunction, onnx::FunctionProto::kAttributeProtoFieldNumber), Kind::kAttribute);
  EXPECT_EQ(child_kind(Kind::kGraph, onnx::GraphProto::kNodeFieldNumber), Kind::kNode);
  EXPECT_EQ(child_kind(Kind::kGraph, onnx::GraphProto::kInitializerFieldNumber), Kind::kTensor);
  EXPECT_EQ(child_kind(Kind::kGraph, onnx::GraphProto::kSparseInitializerFieldNumber), Kind::kSparseTensor);
  EXPECT_EQ(child_kind(Kind::kNode, onnx::NodeProto::kAttributeFieldNumber), Kind::kAttribute);
  EXPECT_EQ(child_kind(Kind::kAttribute, AttributeProto::kTFieldNumber), Kind::kTensor);
  EXPECT_EQ(child_kind(Kind::kAttribute, AttributeProto::kTensorsFieldNumber), Kind::kTensor);
  EXPECT_EQ(child_kind(Kind::kAttribute, AttributeProto::kGFieldNumber), Kind::kGraph);
  EXPECT_EQ(child_kind(Kind::kAttribute, AttributeProto::kGraphsFieldNumber), Kind::kGraph);
  EXPECT_EQ(child_kind(Kind::kAttribute, AttributeProto::kSparseTensorFieldNumber), Kind::kSparseTensor);
  EXPECT_EQ(child_kind(Kind::kAttribute, AttributeProto::kSparseTensorsFieldNumber), Kind::kSparseTensor);
  EXPECT_EQ(child_kind(Kind::kSparseTensor, onnx::SparseTensorProto::kValuesFieldNumber), Kind::kTensor);
  EXPECT_EQ(child_kind(Kind::kSparseTensor, onnx::SparseTensorProto::kIndicesFieldNumber), Kind::kTensor);
  EXPECT_EQ(child_kind(Kind::kGraph, onnx::GraphProto::kNameFieldNumber), Kind::kOther);
  EXPECT_EQ(child_kind(Kind::kTensor, onnx::TensorProto::kRawDataFieldNumber), Kind::kOther);
}

}  // namespace
}  // namespace mpq::graph
