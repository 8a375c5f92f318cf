#include "graph/topology.h"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>

#include "graph/model_impl.h"
#include "model_files.h"

namespace mpq::graph::testing {
namespace {

Nodes nodes_of(const std::vector<std::pair<std::vector<std::string>, std::string>>& list) {
  Nodes nodes;
  for (const auto& [inputs, output] : list) {
    auto* node = nodes.Add();
    for (const std::string& input : inputs) node->add_input(input);
    node->add_output(output);
  }
  return nodes;
}

std::vector<std::string> outputs(const Nodes& nodes) {
  std::vector<std::string> names;
  for (const auto& node : nodes) names.push_back(node.output(0));
  return names;
}

TEST(Topology, LeavesSortedNodesAsTheyAre) {
  Nodes nodes = nodes_of({{{"x"}, "c"}, {{"x"}, "b"}, {{"x"}, "a"}, {{"a", "c"}, "d"}});
  ASSERT_TRUE(sort_nodes(nodes));
  EXPECT_THAT(outputs(nodes), ::testing::ElementsAre("c", "b", "a", "d"));
}

TEST(Topology, MovesOnlyWhatHasToMove) {
  Nodes nodes = nodes_of({{{"x"}, "a"}, {{"z"}, "d"}, {{"x"}, "b"}, {{"y", ""}, "z"}, {{"a"}, "y"}});
  ASSERT_TRUE(sort_nodes(nodes));
  EXPECT_THAT(outputs(nodes), ::testing::ElementsAre("a", "b", "y", "z", "d"));
}

TEST(Topology, CountsWhatSubgraphsReadFromOutside) {
  onnx::ModelProto model = from_text(R"(<ir_version: 8, opset_import: ["" : 17]>
    g (float[1] x, bool c) => (float[1] y) {
      y = If (c) <then_branch = t () => (float[1] a) { a = Identity(late) }, else_branch = e () => (float[1] b) { b = Identity(x) }>
      late = Relu(x)
    })");
  ASSERT_TRUE(sort_nodes(*model.mutable_graph()));
  EXPECT_EQ(model.graph().node(0).op_type(), "Relu");
}

TEST(Topology, NamesTheNodesOfACycle) {
  Nodes nodes = nodes_of({{{"x"}, "a"}, {{"a", "d"}, "b"}, {{"b"}, "c"}, {{"c"}, "d"}, {{"d"}, "e"}});
  EXPECT_THAT(find_cycle(nodes), ::testing::ElementsAre(1, 2, 3));
  EXPECT_FALSE(sort_nodes(nodes));
  EXPECT_THAT(outputs(nodes), ::testing::ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_TRUE(find_cycle(nodes_of({{{"x"}, "a"}})).empty());
}

TEST(Topology, SortsShuffledRandomGraphs) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    const int count = 1 + static_cast<int>(random() % 60);
    std::vector<std::pair<std::vector<std::string>, std::string>> list;
    for (int i = 0; i < count; ++i) {
      std::vector<std::string> inputs = {"x"};
      for (int k = 0; k < 3 && i > 0; ++k) inputs.push_back(std::to_string(random() % static_cast<unsigned>(i)));
      list.emplace_back(inputs, std::to_string(i));
    }
    std::shuffle(list.begin(), list.end(), random);
    Nodes nodes = nodes_of(list);
    ASSERT_TRUE(sort_nodes(nodes));
    std::vector<std::string> seen = {"x"};
    for (const auto& node : nodes) {
      for (const std::string& input : node.input()) EXPECT_THAT(seen, ::testing::Contains(input));
      seen.push_back(node.output(0));
    }
    EXPECT_EQ(nodes.size(), count);
  }
}

}  // namespace
}  // namespace mpq::graph::testing
