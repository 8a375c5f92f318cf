// How long the exact allocation of a large network takes: layers x 8 candidates whose damages fall like real ones.
//
// One budget of 1000 layers took 1.6 ms, their whole (thinned) frontier 17 ms, on one busy core.
//
//   cmake --preset bench && cmake --build --preset bench --target bench_allocate && build/bench/bench/bench_allocate

#include "mpq/allocate.h"

#include <cmath>
#include <random>
#include <string>

#include <benchmark/benchmark.h>

namespace {

mpq::Sensitivity network(std::size_t layers) {
  std::mt19937_64 random(1);
  mpq::Sensitivity scores;
  for (std::size_t i = 0; i < layers; ++i) {
    mpq::LayerSensitivity& entry = scores.layers.emplace_back();
    entry.layer.name = "layer" + std::to_string(i);
    entry.layer.parameters = std::uniform_int_distribution<std::int64_t>(100, 300'000)(random) * 8;
    const double worth = std::lognormal_distribution<double>(0, 2)(random);
    for (int bits = 2; bits <= 9; ++bits) {
      const double noise = std::lognormal_distribution<double>(0, 0.3)(random);
      mpq::CandidateScore& score = entry.candidates.emplace_back();
      score.candidate = {bits, "grid", 0};
      score.stored_bytes = entry.layer.parameters * bits / 8 + 128;
      score.file_bytes = score.stored_bytes + 90;
      score.damage = worth * noise * std::exp2(-2.0 * bits);
    }
  }
  scores.model.bytes = 1 << 30;
  return scores;
}

void plan_one_budget(benchmark::State& state) {
  const mpq::Sensitivity scores = network(static_cast<std::size_t>(state.range(0)));
  const mpq::Budget budget = mpq::Budget::parse("4.37bit");
  for (auto _ : state) benchmark::DoNotOptimize(mpq::allocate(scores, budget));
}
BENCHMARK(plan_one_budget)->Arg(100)->Arg(1000)->Unit(benchmark::kMillisecond);

void whole_frontier(benchmark::State& state) {
  const mpq::Sensitivity scores = network(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(mpq::frontier(scores));
}
BENCHMARK(whole_frontier)->Arg(100)->Arg(1000)->Unit(benchmark::kMillisecond);

}  // namespace
