#include "runtime/session.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "stored_graph.h"

namespace mpq::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kConv = R"(<ir_version: 8, opset_import: ["" : 17]>
  g (float[N, 4, H, 5] x) => (float[N, 3, h, 3] y) { y = Conv(x, w) })";

/// The definition of a valid, unpadded convolution, in double.
std::vector<double> convolve(const Tensor& x, const Tensor& w) {
  const auto dim = [](const Tensor& t, std::size_t axis) { return t.shape()[axis]; };
  const std::int64_t oh = dim(x, 2) - dim(w, 2) + 1, ow = dim(x, 3) - dim(w, 3) + 1;
  std::vector<double> y;
  for (std::int64_t n = 0; n < dim(x, 0); ++n)
    for (std::int64_t m = 0; m < dim(w, 0); ++m)
      for (std::int64_t i = 0; i < oh; ++i)
        for (std::int64_t j = 0; j < ow; ++j) {
          double sum = 0;
          for (std::int64_t c = 0; c < dim(w, 1); ++c)
            for (std::int64_t a = 0; a < dim(w, 2); ++a)
              for (std::int64_t b = 0; b < dim(w, 3); ++b) {
                const std::int64_t xi = ((n * dim(x, 1) + c) * dim(x, 2) + i + a) * dim(x, 3) + j + b;
                const std::int64_t wi = ((m * dim(w, 1) + c) * dim(w, 2) + a) * dim(w, 3) + b;
                sum +=
                    double{x.as<float>()[static_cast<std::size_t>(xi)]} * w.as<float>()[static_cast<std::size_t>(wi)];
              }
          y.push_back(sum);
        }
  return y;
}

void expect_near(const Tensor& found, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(static_cast<std::size_t>(found.size()), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found.as<float>()[i], expected[i], tolerance) << i;
}

std::vector<float> floats(const Tensor& tensor) {
  const auto values = tensor.as<float>();
  return {values.begin(), values.end()};
}

TEST(Session, describes_inputs_and_outputs) {
  const Tensor w = normal({3, 4, 3, 3}, 1);
  StoredGraph graph(kConv);
  const Session session(graph.weight("w", w).model, graph.store);
  ASSERT_EQ(session.inputs().size(), 1U);
  const ValueInfo& x = session.inputs()[0];
  EXPECT_EQ(x.name, "x");
  EXPECT_EQ(x.dtype, DType::kFloat32);
  EXPECT_THAT(x.shape, ElementsAre(-1, 4, -1, 5));
  EXPECT_THAT(x.symbols, ElementsAre("N", "", "H", ""));
  ASSERT_EQ(session.outputs().size(), 1U);
  EXPECT_EQ(session.outputs()[0].name, "y");
}

TEST(Session, computes_a_convolution_at_every_optimization_level) {
  const Tensor w = normal({3, 4, 3, 3}, 1);
  const Tensor x = normal({2, 4, 6, 5}, 2);
  StoredGraph graph(kConv);
  graph.weight("w", w);
  for (const int level : {0, 1, 2, 99}) {
    const Session session(graph.model, graph.store, {.threads = 1, .optimization_level = level});
    expect_near(session.run({{"x", x}})[0], convolve(x, w), 1e-5);
  }
}

TEST(Session, runs_from_several_threads_at_once) {
  const Tensor w = normal({3, 4, 3, 3}, 1);
  StoredGraph graph(kConv);
  const Session session(graph.weight("w", w).model, graph.store);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      const Tensor x = normal({1, 4, 5, 5}, 10 + t);
      const std::vector<double> expected = convolve(x, w);
      for (int i = 0; i < 50; ++i) {
        const Tensor y = session.run({{"x", x}})[0];
        for (std::size_t k = 0; k < expected.size(); ++k) wrong[t] += std::abs(y.as<float>()[k] - expected[k]) > 1e-5;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, ElementsAre(0, 0, 0, 0));
}

TEST(Session, carries_every_element_type_in_and_out) {
  const std::vector<std::pair<std::string, DType>> types = {
      {"float", DType::kFloat32},     {"double", DType::kFloat64}, {"float16", DType::kFloat16},
      {"bfloat16", DType::kBFloat16}, {"int8", DType::kInt8},      {"int16", DType::kInt16},
      {"int32", DType::kInt32},       {"int64", DType::kInt64},    {"uint8", DType::kUInt8},
      {"uint16", DType::kUInt16},     {"uint32", DType::kUInt32},  {"uint64", DType::kUInt64},
      {"bool", DType::kBool}};
  for (const auto& [text, dtype] : types) {
    StoredGraph graph("<ir_version: 8, opset_import: [\"\" : 17]> g (" + text + "[2, 3] x) => (" + text +
                      "[2, 3] y) { y = Identity(x) }");
    const Session session(graph.model, graph.store);
    EXPECT_EQ(session.inputs()[0].dtype, dtype);
    Tensor x(dtype, {2, 3});
    for (std::size_t i = 0; i < x.size_bytes(); ++i) x.mutable_data()[i] = std::byte(dtype == DType::kBool ? i % 2 : i);
    const Tensor y = session.run({{"x", x}})[0];
    ASSERT_EQ(y.type(), dtype) << text;
    ASSERT_EQ(y.size_bytes(), x.size_bytes()) << text;
    EXPECT_EQ(std::memcmp(y.data(), x.data(), x.size_bytes()), 0) << text;
  }
}

TEST(Session, handles_scalars_and_empty_tensors) {
  StoredGraph graph(R"(<ir_version: 8, opset_import: ["" : 17]>
    g (float[] s, float[n] e) => (float[] t, float[m] f) { t = Neg(s) f = Neg(e) })");
  const Session session(graph.model, graph.store);
  Tensor s(DType::kFloat32, {});
  s.as_mutable<float>()[0] = 2.5F;
  const auto out = session.run({{"s", s}, {"e", Tensor(DType::kFloat32, {0})}});
  EXPECT_THAT(out[0].shape(), ElementsAre());
  EXPECT_THAT(floats(out[0]), ElementsAre(-2.5F));
  EXPECT_THAT(out[1].shape(), ElementsAre(0));
  EXPECT_EQ(out[1].size_bytes(), 0U);
}

TEST(Session, returns_the_outputs_asked_for_in_that_order) {
  StoredGraph graph(R"(<ir_version: 8, opset_import: ["" : 17]>
    g (float[2] x) => (float[2] a, float[2] b) { a = Neg(x) b = Abs(x) })");
  const Session session(graph.model, graph.store);
  Tensor x(DType::kFloat32, {2});
  x.as_mutable<float>()[0] = -1;
  x.as_mutable<float>()[1] = 3;
  const auto out = session.run({{"x", x}, {"ignored", x}}, {"b", "a"});
  ASSERT_EQ(out.size(), 2U);
  EXPECT_THAT(floats(out[0]), ElementsAre(1, 3));
  EXPECT_THAT(floats(out[1]), ElementsAre(1, -3));
  EXPECT_THROW(session.run({{"x", x}}, {"c"}), Error);
}

TEST(Session, returns_an_empty_tensor_for_what_is_no_numeric_tensor) {
  StoredGraph graph(R"(<ir_version: 8, opset_import: ["" : 17]>
    g (float[2] x) => (seq(float[2]) s, float[2] y) { s = SequenceConstruct(x) y = Neg(x) })");
  const Session session(graph.model, graph.store);
  EXPECT_FALSE(session.outputs()[0].has_rank);
  const auto out = session.run({{"x", Tensor(DType::kFloat32, {2})}});
  EXPECT_EQ(out[0].size_bytes(), 0U);
  EXPECT_EQ(out[1].size_bytes(), 8U);
}

TEST(Session, does_not_list_initializers_as_inputs) {
  StoredGraph graph(R"(<ir_version: 3, opset_import: ["" : 9]>
    g (float[1, 64] x, float[64, 8] w) => (float[1, 8] y) { y = MatMul(x, w) })");
  const Tensor w = normal({64, 8}, 3);
  const Session session(graph.weight("w", w).model, graph.store);
  ASSERT_EQ(session.inputs().size(), 1U);
  EXPECT_EQ(session.inputs()[0].name, "x");
}

Error failure_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorCode::kInternal, "nothing was thrown"};
}

TEST(Session, says_which_input_is_missing_or_wrong) {
  StoredGraph graph(kConv);
  const Session session(graph.weight("w", normal({3, 4, 3, 3}, 1)).model, graph.store);
  const Error missing = failure_of([&] { session.run({}); });
  EXPECT_EQ(missing.code(), ErrorCode::kInvalidInput);
  EXPECT_STREQ(missing.what(), "The model's input 'x' was not fed; it takes float32 [N, 4, H, 5].");
  const Error type = failure_of([&] { session.run({{"x", Tensor(DType::kInt8, {1, 4, 5, 5})}}); });
  EXPECT_STREQ(type.what(), "The model's input 'x' takes float32 [N, 4, H, 5] but was fed int8 [1, 4, 5, 5].");
  const Error shape = failure_of([&] { session.run({{"x", Tensor(DType::kFloat32, {1, 3, 5, 5})}}); });
  EXPECT_THAT(shape.what(), HasSubstr("was fed float32 [1, 3, 5, 5]"));
  const Error rank = failure_of([&] { session.run({{"x", Tensor(DType::kFloat32, {4, 5, 5})}}); });
  EXPECT_THAT(rank.what(), HasSubstr("was fed float32 [4, 5, 5]"));
}

TEST(Session, reports_a_run_that_fails_in_a_sentence) {
  StoredGraph graph(R"(<ir_version: 8, opset_import: ["" : 17]>
    g (float[n] x, float[m] y) => (float[k] z) { z = Add(x, y) })");
  const Session session(graph.model, graph.store);
  const Error error = failure_of([&] {
    session.run({{"x", Tensor(DType::kFloat32, {2})}, {"y", Tensor(DType::kFloat32, {3})}});
  });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
  EXPECT_THAT(error.what(), HasSubstr("Add: "));
  EXPECT_THAT(error.what(), Not(HasSubstr(".cc")));
  EXPECT_THAT(error.what(), Not(HasSubstr("ONNXRuntimeError")));
}

TEST(Session, refuses_an_unknown_operator_as_unsupported) {
  StoredGraph graph(R"(<ir_version: 8, opset_import: ["" : 17, "custom.domain" : 1]>
    g (float[2] x) => (float[2] y) { y = custom.domain.Frobnicate(x) })");
  const Error error = failure_of([&] { Session(graph.model, graph.store); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported) << error.what();
  EXPECT_THAT(error.what(), HasSubstr("Frobnicate"));
}

TEST(Session, refuses_a_missing_kernel_as_unsupported) {
  StoredGraph graph(R"(<ir_version: 10, opset_import: ["" : 22]>
    g (bfloat16[1, 1, 4, 4] x, bfloat16[1, 1, 3, 3] w) => (bfloat16[1, 1, 2, 2] y) { y = Conv(x, w) })");
  const Error error = failure_of([&] { Session(graph.model, graph.store); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported) << error.what();
}

TEST(Session, refuses_an_inconsistent_graph_as_invalid) {
  StoredGraph graph(R"(<ir_version: 8, opset_import: ["" : 17]>
    g (float[2] x) => (float[2] y) { y = Add(x, nowhere) })");
  const Error error = failure_of([&] { Session(graph.model, graph.store); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidInput) << error.what();
  EXPECT_THAT(error.what(), HasSubstr("nowhere"));
}

TEST(Session, cannot_be_fed_with_strings) {
  StoredGraph graph(R"(<ir_version: 8, opset_import: ["" : 17]> g (string[2] x) => (string[2] y) { y = Identity(x) })");
  const Session session(graph.model, graph.store);
  const Error error = failure_of([&] { session.run({{"x", Tensor(DType::kString, {2})}}); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
}

TEST(Session, knows_the_version_of_the_runtime) {
  EXPECT_THAT(runtime_version(), ::testing::MatchesRegex("1\\.[0-9]+\\.[0-9]+.*"));
}

}  // namespace
}  // namespace mpq::runtime
