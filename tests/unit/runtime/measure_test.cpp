#include "runtime/measure.h"

#include <chrono>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "mpq/error.h"

#include "stored_graph.h"

namespace mpq::runtime {
namespace {

TEST(MedianForwardSeconds, lies_within_the_time_it_took) {
  StoredGraph graph(R"(<ir_version: 8, opset_import: ["" : 17]>
    g (float[256, 256] x) => (float[256, 256] y) { y = MatMul(x, w) })");
  const Session session(graph.weight("w", normal({256, 256}, 1)).model, graph.store);
  const std::vector<Feed> feeds = {{{"x", normal({256, 256}, 2)}}, {{"x", normal({256, 256}, 3)}}};
  const auto start = std::chrono::steady_clock::now();
  const double seconds = median_forward_seconds(session, feeds, 5);
  const double total = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_GT(seconds, 1e-5);       // 33 million multiplications take longer than this anywhere
  EXPECT_LT(3 * seconds, total);  // at least half of five runs were no faster than the median
}

TEST(MedianForwardSeconds, needs_a_sample) {
  StoredGraph graph(R"(<ir_version: 8, opset_import: ["" : 17]> g (float[2] x) => (float[2] y) { y = Neg(x) })");
  const Session session(graph.model, graph.store);
  EXPECT_THROW(median_forward_seconds(session, {}), Error);
}

TEST(PeakMemoryBytes, sees_a_large_allocation_and_never_falls) {
  const std::int64_t before = peak_memory_bytes();
  EXPECT_GT(before, 1 << 20);
  {
    std::vector<char> large(static_cast<std::size_t>(before) + (std::size_t{64} << 20));
    std::memset(large.data(), 1, large.size());
    EXPECT_NE(large[large.size() / 2], 0);
  }
  EXPECT_GE(peak_memory_bytes(), before + (std::int64_t{64} << 20));
}

}  // namespace
}  // namespace mpq::runtime
