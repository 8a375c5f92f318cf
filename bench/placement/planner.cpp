// How long the exact placement of a large network takes: 500 segments, 8 processors of unequal speed, transfers.
//
//   cmake --preset bench && cmake --build --preset bench --target bench_planner && build/bench/bench/bench_planner

#include <random>

#include <benchmark/benchmark.h>

#include "place/latency.h"
#include "place/throughput.h"
#include "problems.h"

namespace {

void throughput(benchmark::State& state) {
  std::mt19937_64 random(1);
  const auto problem = mpq::placing::random_problem(
      {.segments = static_cast<int>(state.range(0)), .processors = static_cast<int>(state.range(1))}, random);
  for (auto _ : state) benchmark::DoNotOptimize(mpq::placing::place_for_throughput(problem));
}
BENCHMARK(throughput)->Args({100, 4})->Args({500, 4})->Args({500, 8})->Unit(benchmark::kMillisecond);

/// Equal processors: the hardest to tell apart.
void throughput_of_equal_processors(benchmark::State& state) {
  std::mt19937_64 random(1);
  auto problem = mpq::placing::random_problem({.segments = 500, .processors = 8, .transfers = false, .savings = false}, random);
  for (int s = 0; s < 500; ++s) {
    for (int p = 1; p < 8; ++p) problem.seconds[problem.cell(s, p)] = problem.time(s, 0);
  }
  for (auto _ : state) benchmark::DoNotOptimize(mpq::placing::place_for_throughput(problem));
}
BENCHMARK(throughput_of_equal_processors)->Unit(benchmark::kMillisecond);

void latency(benchmark::State& state) {
  std::mt19937_64 random(1);
  const auto problem = mpq::placing::random_problem({.segments = static_cast<int>(state.range(0)), .processors = 8, .chain = state.range(1) != 0}, random);
  for (auto _ : state) benchmark::DoNotOptimize(mpq::placing::place_for_latency(problem));
}
BENCHMARK(latency)->Args({100, 0})->Args({500, 1})->Unit(benchmark::kMillisecond);

}  // namespace
