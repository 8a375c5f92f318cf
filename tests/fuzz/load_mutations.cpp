#include <random>
#include <sstream>

#include <gtest/gtest.h>
#include <onnx/defs/parser.h>

#include "load_bytes.h"

// Deterministic mutations of good models. Whatever comes in, loading either works or ends in one mpq::Error that
// blames the input; crashes, hangs, foreign exceptions and internal errors are failures.

namespace mpq::fuzz {
namespace {

/// Constant nodes, subgraphs, a local function, typed and raw and sparse tensors: a little of everything.
std::string synthetic_model() {
  onnx::ModelProto model;
  const auto status = onnx::OnnxParser::Parse(model, R"(<ir_version: 10, opset_import: ["" : 17, "local" : 1]>
    g (float[1,4] x, bool c) => (float[1,4] y)
      <float[4,4] w = {1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16}, int64[2] shape = {1,4}> {
      [mm] h = MatMul(x, w)
      [f] i = local.F(h)
      r = Reshape(i, shape)
      y = If (c) <then_branch = t () => (float[1,4] a) { k = Constant <value = float[4] {1,2,3,4}> ()  a = Add(r, k) },
                  else_branch = e () => (float[1,4] b) { b = Identity(r) }>
    }
    <domain: "local", opset_import: ["" : 17]>
    F (a) => (b) { b = LeakyRelu <alpha = 0.5> (a) })");
  EXPECT_TRUE(status.IsOK()) << status.ErrorMessage();
  auto* large = model.mutable_graph()->add_initializer();
  large->set_name("large");
  large->set_data_type(onnx::TensorProto::FLOAT);
  large->add_dims(20);
  large->add_dims(20);
  large->set_raw_data(std::string(1600, '\x3f'));
  auto* sparse = model.mutable_graph()->add_sparse_initializer();
  sparse->add_dims(9);
  sparse->mutable_values()->set_name("sparse");
  sparse->mutable_values()->set_data_type(onnx::TensorProto::FLOAT);
  sparse->mutable_values()->add_dims(1);
  sparse->mutable_values()->add_float_data(1);
  sparse->mutable_indices()->set_data_type(onnx::TensorProto::INT64);
  sparse->mutable_indices()->add_dims(1);
  sparse->mutable_indices()->add_int64_data(8);
  return model.SerializeAsString();
}

std::string real_model() {
  std::ostringstream content;
  content << std::ifstream(MPQ_REAL_MODEL, std::ios::binary).rdbuf();
  return content.str();
}

class LoadMutations : public ::testing::Test {
 protected:
  void try_load(const std::string& bytes, const std::string& what) {
    SCOPED_TRACE(what);
    try {
      (load_bytes(bytes, folder_) == Outcome::kLoaded ? loaded_ : refused_)++;
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }

  ScratchFolder folder_;
  std::mt19937_64 random_{20240783};
  int loaded_ = 0, refused_ = 0;
};

TEST_F(LoadMutations, StartFromModelsThatLoad) {
  try_load(synthetic_model(), "synthetic");
  try_load(real_model(), "real");
  EXPECT_EQ(loaded_, 2);
}

TEST_F(LoadMutations, TruncationAtEveryByte) {
  const std::string model = synthetic_model();
  for (std::size_t size = 0; size < model.size(); ++size) try_load(model.substr(0, size), std::to_string(size));
  EXPECT_GT(refused_, static_cast<int>(model.size()) - 30);
}

TEST_F(LoadMutations, TruncationOfARealModel) {
  const std::string model = real_model();
  for (int i = 0; i < 200; ++i) {
    const std::size_t size = below(model.size());
    try_load(model.substr(0, size), std::to_string(size));
  }
  EXPECT_GT(refused_, 190);
}

TEST_F(LoadMutations, EveryBitOfTheSmallModel) {
  const std::string model = synthetic_model();
  for (std::size_t i = 0; i < model.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = model;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      try_load(changed, std::to_string(i) + "." + std::to_string(bit));
    }
  }
  EXPECT_GT(loaded_, 0);
  EXPECT_GT(refused_, 0);
}

TEST_F(LoadMutations, BytesInTheStructureOfARealModel) {
  const std::string model = real_model();
  for (int i = 0; i < 400; ++i) {
    std::string changed = model;
    const int changes = 1 + static_cast<int>(below(8));
    for (int k = 0; k < changes; ++k) changed[below(changed.size())] = static_cast<char>(random_());
    try_load(changed, std::to_string(i));
  }
}

TEST_F(LoadMutations, SeveralBytesAtOnce) {
  const std::string model = synthetic_model();
  for (int i = 0; i < 4000; ++i) {
    std::string changed = model;
    const int changes = 1 + static_cast<int>(below(4));
    for (int k = 0; k < changes; ++k) changed[below(changed.size())] = static_cast<char>(random_());
    try_load(changed, std::to_string(i));
  }
}

// Lengths and varints at their limits are where parsers break.
TEST_F(LoadMutations, ExtremeBytesInserted) {
  const std::string model = synthetic_model();
  for (int i = 0; i < 2000; ++i) {
    std::string changed = model;
    const std::string run(1 + below(10), below(2) == 0 ? '\xff' : '\x80');
    changed.replace(below(changed.size()), below(3), run + '\x7f');
    try_load(changed, std::to_string(i));
  }
}

TEST_F(LoadMutations, BlocksRemovedDuplicatedAndSwapped) {
  const std::string model = synthetic_model();
  for (int i = 0; i < 2000; ++i) {
    std::string changed = model;
    const std::size_t from = below(changed.size()), length = below(64);
    const std::string block = changed.substr(from, length);
    if (i % 2 == 0) changed.erase(from, length);
    if (i % 3 != 0) changed.insert(below(changed.size()), block);
    try_load(changed, std::to_string(i));
  }
}

TEST_F(LoadMutations, RandomBytes) {
  for (int i = 0; i < 2000; ++i) {
    std::string bytes(1 + below(300), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    if (i % 2 == 0) bytes = "\x08\x08" + bytes;  // begins like a model
    try_load(bytes, std::to_string(i));
  }
  EXPECT_EQ(loaded_, 0);
}

}  // namespace
}  // namespace mpq::fuzz
