// What ONNX Runtime was observed to do with weights that a Model Editor graph reads from our buffers, which its headers
// do not promise. mpq feeds changed weights as inputs (in_place_test.cpp) because that was measured to be faster
// (bench/in_place_weights.cpp). When one of these tests fails after an update of ONNX Runtime, nothing of mpq is
// broken: measure again, and take the observation over.

#include <array>
#include <cstring>

#include <gtest/gtest.h>

#include "editor_graph.h"
#include "runtime/values.h"
#include "stored_graph.h"

namespace mpq::runtime {
namespace {

constexpr const char* kChanged =
    "ONNX Runtime no longer treats weights of a Model Editor graph as it did in version 1.32: see the head of this "
    "file.";

class ModelEditor : public ::testing::Test {
 protected:
  Tensor x = own_copy(normal({1, 16, 12, 12}, 1));
  Tensor conv1 = own_copy(normal({16, 16, 3, 3}, 2, 0.2F));
  Tensor conv2 = own_copy(normal({16, 16, 3, 3}, 3, 0.2F));
  Tensor product = own_copy(normal({12, 12}, 4, 0.2F));

  Ort::Session session(bool weights_seen) {
    EditorGraph graph;
    graph.input("x", x.shape());
    graph.output("y", x.shape());
    graph.weight("conv1", conv1);
    graph.weight("conv2", conv2);
    graph.weight("product", product);
    for (const int i : {1, 2}) {
      std::vector<Ort::OpAttr> pads;
      pads.push_back(EditorGraph::ints("pads", {1, 1, 1, 1}));
      const std::string n = std::to_string(i);
      graph.node("Conv", "c" + n, {i == 1 ? "x" : "a1", "conv" + n}, "a" + n, std::move(pads));
    }
    graph.node("MatMul", "m", {"a2", "product"}, "y");
    return graph.session(weights_seen);
  }

  Tensor run(Ort::Session& session) {
    const std::array<const char*, 1> inputs = {"x"}, outputs = {"y"};
    const Ort::Value fed = view(x);
    return take(session.Run(Ort::RunOptions{nullptr}, inputs.data(), &fed, 1, outputs.data(), 1)[0]);
  }

  static bool equal(const Tensor& a, const Tensor& b) {
    return a.size_bytes() == b.size_bytes() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
  }
  static void halve(Tensor& tensor) {
    for (float& value : tensor.as_mutable<float>()) value *= 0.5F;
  }
};

TEST_F(ModelEditor, sees_changed_weights_without_prepacking_and_blocked_layouts) {
  Ort::Session session = this->session(true);
  for (Tensor* weight : {&conv1, &conv2, &product}) {
    const Tensor before = run(session);
    halve(*weight);
    EXPECT_FALSE(equal(run(session), before)) << kChanged;
    Ort::Session fresh = this->session(true);
    EXPECT_TRUE(equal(run(session), run(fresh))) << kChanged;
  }
}

TEST_F(ModelEditor, hides_changed_convolutions_with_default_options) {
  Ort::Session session = this->session(false);
  const Tensor before = run(session);
  halve(conv2);
  EXPECT_TRUE(equal(run(session), before)) << kChanged;
}

}  // namespace
}  // namespace mpq::runtime
