#include "graph/open_extents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parsed_model.h"

namespace mpq::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<std::string> names_of(const std::vector<ValueInfo>& values) {
  std::vector<std::string> names;
  for (const ValueInfo& value : values) names.push_back(value.name);
  return names;
}

OpenExtents extents_of(const std::string& body) {
  Model::Impl impl;
  impl.proto = testing::parse_graph(body);
  auto shared = std::make_shared<Model::Impl>(impl);
  shared->store = std::make_shared<TensorStore>();
  find_layers(*shared);
  for (const auto& output : shared->proto.graph().output())
    shared->outputs.push_back({output.name(), DType::kFloat32, {}, {}, false});
  return open_extents(Model(shared));
}

TEST(OpenExtents, OfWhatIsKeptGiveWayToWhatWasRated) {
  const OpenExtents open = extents_of(R"(
    g (float[4,16] x) => (float[4,16] h, float[k,4] kept) <float[16,16] a = {0}, float[16,24] b = {0}> {
      h = MatMul(x, a)
      both = MatMul(h, b)
      four = Constant<value = int64[3] {1, 4, 24}>()
      all = Reshape(both, four)
      boxes_at = Constant<value = int64[1] {4}>()
      zero = Constant<value = int64[1] {0}>()
      last = Constant<value = int64[1] {2}>()
      boxes = Slice(all, zero, boxes_at, last)
      end = Constant<value = int64[1] {24}>()
      rest = Slice(all, boxes_at, end, last)
      scores = Transpose<perm = [0, 2, 1]>(rest)
      most = Constant<value = int64 {3}>()
      chosen = NonMaxSuppression(boxes, scores, most)
      column = Constant<value = int64 {2}>()
      indices = Gather<axis = 1>(chosen, column)
      first = Squeeze(boxes, zero)
      kept = Gather(first, indices)
    })");
  EXPECT_THAT(open.outputs, ElementsAre("kept"));
  EXPECT_THAT(names_of(open.settled), UnorderedElementsAre("boxes", "scores", "first"));
}

constexpr const char* kLoop = R"(
    g (float[1,16] x, int64 steps) => (float[n,1,16] y) <float[16,16] a = {0}, float zero = {0.0}> {
      h = MatMul(x, a)
      go = Constant<value = int64 {1}>()
      run = Cast<to = 9>(go)
      sum = ReduceSum<keepdims = 0>(h)
      last, y = Loop (COUNT, run, h) <body = step (int64 i, bool was, float[1,16] s) => (bool next, float[1,16] t, float[1,16] u) {
        t = Tanh(s)
        CONDITION
        u = Identity(t)
      }>
    })";

std::string loop(const std::string& count, const std::string& condition) {
  std::string text = kLoop;
  text.replace(text.find("COUNT"), 5, count);
  text.replace(text.find("CONDITION"), 9, condition);
  return text;
}

TEST(OpenExtents, OfALoopThatEndsWhenItWantsTo) {
  const OpenExtents open = extents_of(loop("steps", "m = ReduceMax<keepdims = 0>(t) next = Greater(m, zero)"));
  EXPECT_THAT(open.outputs, ElementsAre("y"));
  EXPECT_THAT(names_of(open.settled), ElementsAre("h"));
}

TEST(OpenExtents, NotOfALoopThatRunsToItsEnd) {
  EXPECT_THAT(extents_of(loop("steps", "next = Identity(was)")).outputs, IsEmpty());
}

TEST(OpenExtents, OfALoopWhoseStepsAreComputed) {
  std::string text = loop("count", "next = Identity(was)");
  text.replace(text.find("sum ="), 0, "count = Cast<to = 7>(sum) ");
  EXPECT_THAT(extents_of(text).outputs, ElementsAre("y"));
}

TEST(OpenExtents, NotOfWhatTheInputsAloneChoose) {
  EXPECT_THAT(extents_of(R"(
    g (float[4,16] x, bool[4] mask) => (float[k,16] y) <float[16,16] a = {0}> {
      h = MatMul(x, a)
      y = Compress<axis = 0>(h, mask)
    })")
                  .outputs,
              IsEmpty());
  EXPECT_THAT(extents_of(R"(
    g (float[4,16] x, bool[4] mask) => (float[k,16] y) <float[16,16] a = {0}> {
      places = NonZero(mask)
      one = Transpose(places)
      h = MatMul(x, a)
      y = GatherND(h, one)
    })")
                  .outputs,
              IsEmpty());
}

TEST(OpenExtents, NotOfWhatIsPutBackIntoItsPlaces) {
  EXPECT_THAT(extents_of(R"(
    g (float[4,16] x) => (float[4,16] y) <float[16,16] a = {0}, float zero = {0.0}> {
      h = MatMul(x, a)
      above = Greater(h, zero)
      found = NonZero(above)
      places = Transpose(found)
      chosen = GatherND(h, places)
      doubled = Add(chosen, chosen)
      y = ScatterND(h, places, doubled)
    })")
                  .outputs,
              IsEmpty());
}

TEST(OpenExtents, AreNotThereInPlainNetworks) {
  const OpenExtents open = extents_of(testing::kResidual);
  EXPECT_THAT(open.outputs, IsEmpty());
  EXPECT_THAT(open.settled, IsEmpty());
}

}  // namespace
}  // namespace mpq::graph
