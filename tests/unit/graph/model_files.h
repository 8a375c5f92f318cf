#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <sstream>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/defs/parser.h>
#include <onnx/onnx_pb.h>

#include "mpq/error.h"
#include "mpq/model.h"

// Models written to a folder of the test's own, and what loading them says.

namespace mpq::graph::testing {

class ModelFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string(info->test_suite_name()) + "." + info->name();
    for (char& c : name) c = c == '/' ? '_' : c;
    folder_ = std::filesystem::temp_directory_path() / ("mpq-" + std::to_string(::getpid()) + "-" + name);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  std::string write(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  std::string write(const std::string& name, const onnx::ModelProto& model) const {
    return write(name, model.SerializeAsString());
  }
  static std::string read(const std::string& path) {
    std::ostringstream content;
    content << std::ifstream(path, std::ios::binary).rdbuf();
    return content.str();
  }
  Model load(const onnx::ModelProto& model) const { return Model::load(write("model.onnx", model)); }

  std::filesystem::path folder_;
};

inline onnx::ModelProto from_text(const std::string& text) {
  onnx::ModelProto model;
  const auto status = onnx::OnnxParser::Parse(model, text.c_str());
  EXPECT_TRUE(status.IsOK()) << status.ErrorMessage();
  return model;
}

/// x[1,32] -> MatMul with the float32 initializer w[32,32] -> Add with the small initializer b[32] -> y.
inline onnx::ModelProto small_model() {
  onnx::ModelProto model = from_text(R"(<ir_version: 8, opset_import: ["" : 17], producer_name: "mpq-test">
    g (float[1,32] x) => (float[1,32] y) {
      [multiply] m = MatMul(x, w)
      [shift] y = Add(m, b)
    })");
  const auto add = [&model](const std::string& name, const std::vector<std::int64_t>& dims, float step) {
    auto* tensor = model.mutable_graph()->add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(onnx::TensorProto::FLOAT);
    std::int64_t count = 1;
    for (const std::int64_t extent : dims) count *= extent, tensor->add_dims(extent);
    std::vector<float> values;
    for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<float>(i % 97 - 48) * step);
    tensor->set_raw_data(values.data(), values.size() * sizeof(float));
  };
  add("w", {32, 32}, 0.01F);
  add("b", {32}, 0.5F);
  return model;
}

/// The error of loading `path`; fails the test when there is none.
inline Error load_error(const std::string& path) {
  try {
    Model::load(path);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << path << " was loaded without an error";
  return {ErrorCode::kInternal, ""};
}

/// Messages are whole sentences and name the file they speak of.
inline void expect_error(const Error& error, ErrorCode code, const std::string& fragment, const std::string& path) {
  EXPECT_EQ(error.code(), code) << error.what();
  EXPECT_THAT(error.what(), ::testing::HasSubstr(fragment));
  EXPECT_THAT(error.what(), ::testing::MatchesRegex("[A-Z].*\\."));
  EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  EXPECT_EQ(error.where(), path);
}

}  // namespace mpq::graph::testing
