#include "encode/storage_form.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "../quantize/layers.h"

namespace mpq::encode {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Store = StorageForm::Store;
using Run = StorageForm::Run;

const IntegerSite kKernel{true, false, ""};
const IntegerSite kNoKernel{false, false, "no integer kernel runs Conv with float activations"};

Layer product() { return test_layer({64, 24}, {1}, 0); }

TEST(StorageForm, BytesAndNibblesAreTensorsOfTheirOwnTypeWhereThereIsOne) {
  EXPECT_EQ(storage_form(product(), grid(8), 7, {}).store, Store::kInt8);
  EXPECT_EQ(storage_form(product(), grid(4), 20, {}).store, Store::kPlanes);
  EXPECT_EQ(storage_form(product(), grid(4), 21, {}).store, Store::kInt4);
  for (const int bits : {2, 3, 5, 6, 7}) EXPECT_EQ(storage_form(product(), grid(bits), 26, {}).store, Store::kPlanes);
}

TEST(StorageForm, OnlyPlanesHaveATail) {
  const Layer odd = test_layer({3, 3}, {1});
  EXPECT_TRUE(storage_form(odd, grid(3), 17, {}).tail);
  EXPECT_FALSE(storage_form(odd, grid(8), 17, {}).tail);
  EXPECT_FALSE(storage_form(odd, grid(4), 21, {}).tail);
  EXPECT_FALSE(storage_form(product(), grid(3), 17, {}).tail);
}

TEST(StorageForm, IntegerKernelsTakeFourBitsFromOpset21) {
  EXPECT_EQ(storage_form(product(), grid(4), 20, kKernel).run, Run::kInt8);
  EXPECT_EQ(storage_form(product(), grid(4), 21, kKernel).run, Run::kInt4);
  EXPECT_EQ(storage_form(product(), grid(2), 21, kKernel).run, Run::kInt4);
  EXPECT_EQ(storage_form(product(), grid(5), 21, kKernel).run, Run::kInt8);
}

TEST(StorageForm, FoldsWhereTheSiteHasNoKernel) {
  const StorageForm form = storage_form(product(), grid(4), 21, kNoKernel);
  EXPECT_EQ(form.run, Run::kFolded);
  EXPECT_EQ(form.reason, kNoKernel.reason);
}

TEST(StorageForm, FoldsBlocksThatKernelsDoNotTake) {
  EXPECT_THAT(storage_form(product(), grid(4, 32), 20, kKernel).reason,
              HasSubstr("need opset 21 for scales per block"));
  EXPECT_EQ(storage_form(product(), grid(4, 32), 21, kKernel).reason, "");
  for (const int block : {8, 48, 512}) {
    const StorageForm form = storage_form(product(), grid(4, block), 21, kKernel);
    EXPECT_EQ(form.run, Run::kFolded);
    EXPECT_THAT(form.reason, HasSubstr("not " + std::to_string(block)));
  }
}

TEST(StorageForm, TransposesOnlyForKernels) {
  const IntegerSite gemm{true, true, ""};
  EXPECT_TRUE(storage_form(product(), grid(8), 21, gemm).transposed);
  EXPECT_FALSE(storage_form(product(), grid(8, 48), 21, gemm).transposed);
}

TEST(StorageForm, RefusesOtherForms) {
  EXPECT_THROW(storage_form(product(), {16, "half", 0}, 17, {}), Error);
  EXPECT_THROW(storage_form(product(), {}, 17, {}), Error);
}

TEST(FunctionName, TellsFormsApart) {
  EXPECT_EQ(storage_form(product(), grid(3), 17, {}).function_name(), "Unpack3bit");
  EXPECT_EQ(storage_form(product(), grid(4, 16), 21, kKernel).function_name(), "Unpack4bitBlocksInt4");
  EXPECT_EQ(storage_form(product(), grid(6), 17, kKernel).function_name(), "Unpack6bitInt8");
  EXPECT_EQ(storage_form(test_layer({3, 3}, {1}, 0, "float16"), grid(5, 3), 17, {}).function_name(),
            "Unpack5bitBlocksTailHalf");
  EXPECT_EQ(storage_form(test_layer({8, 8}, {1}, 0, "bfloat16"), grid(8), 17, {}).function_name(),
            "Unpack8bitBFloat16");
  EXPECT_EQ(storage_form(test_layer({8, 8}, {1}, 0, "float64"), grid(8), 17, {}).function_name(), "Unpack8bitDouble");
}

// ONNX Runtime before 1.21 adds and subtracts no integers of 8 bits.
TEST(StorageForm, PortableFilesDoNoArithmeticOnBytes) {
  for (const std::int64_t opset : {14, 17, 18, 21}) {
    for (int bits = 2; bits <= 7; ++bits) {
      const StorageForm form = storage_form(product(), grid(bits, 0), {opset, true}, {});
      if (form.store != Store::kPlanes) continue;
      EXPECT_TRUE(numbers_are_floats(form));
      const onnx::FunctionProto function = unpack_function(form, opset);
      for (const onnx::NodeProto& node : function.node()) {
        EXPECT_THAT(node.op_type(), ::testing::Not(::testing::AnyOf("Add", "BitwiseOr", "BitwiseAnd")));
      }
    }
  }
}

// Forms of one name must be one function: a model holds it once.
TEST(FunctionName, EqualNamesAreEqualFunctions) {
  for (const std::int64_t opset : {7, 13, 17, 21}) {
    std::map<std::string, std::string> bodies;
    for (const auto& [rows, columns] : {std::pair{64, 24}, {48, 16}, {3, 3}, {5, 32}}) {
      for (int bits = 2; bits <= 8; ++bits) {
        for (const IntegerSite& site : {IntegerSite{}, opset >= 13 ? kKernel : IntegerSite{}}) {
          for (const int block : {0, rows}) {
            const StorageForm form = storage_form(test_layer({rows, columns}, {1}, 0), grid(bits, block), opset, site);
            const std::string body = unpack_function(form, opset).SerializeAsString();
            EXPECT_EQ(bodies.emplace(form.function_name(), body).first->second, body) << form.function_name();
          }
        }
      }
    }
  }
}

std::vector<std::string> attributes_of(const onnx::NodeProto& node) {
  std::vector<std::string> names;
  for (const auto& attribute : node.attribute()) names.push_back(attribute.name());
  return names;
}

onnx::NodeProto node_of(const Layer& layer, const Candidate& candidate, std::int64_t opset, const IntegerSite& site) {
  return unpack_node(layer, storage_form(layer, candidate, opset, site), opset, 0.25F, {"q", "s"}, "w");
}

TEST(UnpackNode, SaysWhatTheFunctionCannotKnow) {
  EXPECT_THAT(attributes_of(node_of(product(), grid(8), 17, {})), ElementsAre("unit"));
  EXPECT_THAT(attributes_of(node_of(product(), grid(3), 17, {})), ElementsAre("shape", "unit"));
  EXPECT_THAT(attributes_of(node_of(product(), grid(3, 16), 17, {})), ElementsAre("view", "shape", "unit"));
  EXPECT_THAT(attributes_of(node_of(product(), grid(8, 16), 17, {})), ElementsAre("shape", "unit"));
  EXPECT_THAT(attributes_of(node_of(product(), grid(8, 16), 21, kKernel)), ElementsAre("unit", "block"));
  EXPECT_THAT(attributes_of(node_of(test_layer({3, 3}, {1}), grid(3), 17, {})), ElementsAre("count", "shape", "unit"));
}

TEST(UnpackNode, ReadsNumbersAndScales) {
  const onnx::NodeProto node = node_of(test_layer({24, 64}, {0}, 1), grid(3), 17, {true, true, ""});
  EXPECT_EQ(node.op_type(), "Unpack3bitInt8");
  EXPECT_EQ(node.domain(), "mpq");
  EXPECT_THAT(node.input(), ElementsAre("q", "s"));
  EXPECT_THAT(node.output(), ElementsAre("w"));
  EXPECT_THAT(node.attribute(0).ints(), ElementsAre(64, 24));  // transposed
  EXPECT_EQ(node.attribute(1).f(), 0.25F);
}

TEST(ElementType, KnowsTheTypesOfWeights) {
  EXPECT_EQ(element_type("float32"), onnx::TensorProto::FLOAT);
  EXPECT_EQ(element_type("float16"), onnx::TensorProto::FLOAT16);
  EXPECT_EQ(element_type("bfloat16"), onnx::TensorProto::BFLOAT16);
  EXPECT_EQ(element_type("float64"), onnx::TensorProto::DOUBLE);
  EXPECT_THROW(element_type("int8"), Error);
}

TEST(StorageForm, RowsOfSeveralWidthsHaveATensorForEachWidth) {
  const Candidate candidate = row_candidate({2, 5, 2, 3, 2, 2});
  const StorageForm folded = storage_form(test_layer({6, 8}, {0}), candidate, 17, {});
  EXPECT_EQ(folded.function_name(), "Unpack235bitMixed");
  EXPECT_THAT(folded.function_inputs(), ElementsAre("packed2", "packed3", "packed5", "scales", "rows"));
  EXPECT_FALSE(folded.turned || folded.tail);
  EXPECT_EQ(folded.row_classes.at(0).rows, 4);
  // Three rows of 7 numbers fill no groups of eight; columns are turned into their place.
  const StorageForm turned = storage_form(test_layer({7, 6}, {1}, 0), candidate, 21, {true, false, ""});
  EXPECT_EQ(turned.function_name(), "Unpack235bitMixedTurnedTailInt8");
  // A Gemm's weight that is written the other way round.
  const StorageForm transposed = storage_form(test_layer({6, 8}, {0}, 1), candidate, 17, {true, true, ""});
  EXPECT_EQ(transposed.function_name(), "Unpack235bitMixedTurnedInt8");
  const Candidate narrow = row_candidate({2, 4, 4, 2, 4, 4});
  EXPECT_EQ(storage_form(test_layer({6, 8}, {0}, 1), narrow, 21, {true, true, ""}).run, StorageForm::Run::kInt4);
}

TEST(StorageForm, TrellisesArePackedPlanesForEightBitKernels) {
  const Layer layer = test_layer({64, 24}, {1}, 0);
  for (const int bits : {2, 4, 6}) {
    const StorageForm form = storage_form(layer, {bits, "trellis", 0}, 21, {true, false, ""});
    EXPECT_EQ(form.store, StorageForm::Store::kPlanes) << bits;
    EXPECT_EQ(form.run, StorageForm::Run::kInt8) << bits;
    EXPECT_EQ(form.function_name(), "Unpack" + std::to_string(bits) + "bitTrellisInt8");
    EXPECT_EQ(form.function_inputs().size(), 3U);
  }
}

}  // namespace
}  // namespace mpq::encode
