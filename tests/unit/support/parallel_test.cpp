#include "support/parallel.h"

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "mpq/error.h"

namespace mpq {
namespace {

TEST(ResolveThreads, ZeroMeansAllCoresAndNegativeIsRefused) {
  EXPECT_GE(resolve_threads(0), 1);
  EXPECT_EQ(resolve_threads(5), 5);
  EXPECT_THROW(resolve_threads(-1), Error);
}

TEST(ParallelFor, VisitsEveryIndexOnce) {
  for (const int threads : {1, 2, 3, 8}) {
    for (const std::size_t count : {0u, 1u, 2u, 7u, 1000u}) {
      std::vector<std::atomic<int>> visits(count);
      parallel_for(count, threads, [&](std::size_t i, int worker) {
        ASSERT_GE(worker, 0);
        ASSERT_LT(worker, threads);
        ++visits[i];
      });
      for (const auto& visit : visits) ASSERT_EQ(visit.load(), 1);
    }
  }
}

TEST(ParallelFor, NoTwoItemsShareAWorkerAtOnce) {
  constexpr int kThreads = 4;
  std::vector<std::atomic<int>> busy(kThreads);
  std::atomic<int> clashes{0};
  parallel_for(200, kThreads, [&](std::size_t, int worker) {
    auto& flag = busy[static_cast<std::size_t>(worker)];
    if (flag.fetch_add(1) != 0) ++clashes;
    std::this_thread::yield();
    --flag;
  });
  EXPECT_EQ(clashes.load(), 0);
}

TEST(ParallelFor, ResultsByIndexDoNotDependOnTheNumberOfThreads) {
  const auto run = [](int threads) {
    std::vector<double> result(500);
    parallel_for(result.size(), threads, [&](std::size_t i, int) {
      double sum = 0;
      for (std::size_t k = 1; k <= i; ++k) sum += 1.0 / static_cast<double>(k);
      result[i] = sum;
    });
    return result;
  };
  EXPECT_EQ(run(1), run(2));
  EXPECT_EQ(run(1), run(7));
}

TEST(ParallelFor, RethrowsTheExceptionOfTheLowestIndex) {
  // Item 3 throws late and item 4 throws at once: the lower index must win at every schedule.
  for (int round = 0; round < 20; ++round) {
    for (const int threads : {1, 2, 4}) {
      std::string caught;
      try {
        parallel_for(100, threads, [&](std::size_t i, int) {
          if (i == 3) {
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
            throw std::runtime_error("three");
          }
          if (i >= 4) throw std::runtime_error("later");
        });
      } catch (const std::runtime_error& error) {
        caught = error.what();
      }
      ASSERT_EQ(caught, "three");
    }
  }
}

TEST(ParallelFor, TakesNoNewItemsAfterAFailure) {
  std::atomic<int> started{0};
  EXPECT_THROW(parallel_for(100000, 2,
                            [&](std::size_t, int) {
                              ++started;
                              throw std::runtime_error("stop");
                            }),
               std::runtime_error);
  EXPECT_LE(started.load(), 2);
}

}  // namespace
}  // namespace mpq
