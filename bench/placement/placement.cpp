// What placements are worth on this machine: our asynchronous throughput and synchronous latency beside ONNX Runtime's
// own ways to use several cores, all taking turns in one run; predictions against measurements; planned and real use of
// processors of unequal speed; and, on paper, how throughput grows with processors.
//
//   bench/placement/run                 builds, makes the models, runs everything and prints the tables
//   bench_placement rivals MODEL DATA   one part for one model
//
// docs/many-processors.md quotes the figures.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "mpq/execution.h"
#include "mpq/executor.h"
#include "mpq/mpq.h"

#include "rival.h"

namespace {

using Clock = std::chrono::steady_clock;

double seconds_of(const std::function<void()>& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// The tenth of the rounds in which the machine did least besides ends here.
double fast(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 10];
}

double median_of_ratios(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < a.size(); ++i) ratios.push_back(a[i] / b[i]);
  return median(ratios);
}

mpq::Profile profile_of(const mpq::Model& model, const mpq::Samples& samples, const std::string& devices) {
  mpq::ProfileOptions options;
  options.processors = mpq::parse_processors(devices);
  options.precisions = {"float32"};
  if (!model.quantized_parts().empty()) options.precisions = {"stored"};
  return mpq::profile(model, samples, options);
}

// --- rivals ---

struct Contender {
  std::string name;
  std::function<void(int)> run;  // so many requests
  std::vector<double> seconds;
};

constexpr auto kRest = std::chrono::milliseconds(60);

/// Every contender in turn, round after round, the first one changing: what the machine does besides hits all alike.
void take_turns(std::vector<Contender>& contenders, int rounds, int requests) {
  for (Contender& contender : contenders) contender.run(3);
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      Contender& contender = contenders[(i + static_cast<std::size_t>(round)) % contenders.size()];
      // The threads of ONNX Runtime as its users have it spin for a while after a run: that is the next one's no more
      // than the machine's other work. One run brings them, and the caches, back to where a stream of requests is.
      std::this_thread::sleep_for(kRest);
      contender.run(1);
      contender.seconds.push_back(seconds_of([&] { contender.run(requests); }) / requests);
    }
  }
}

void print(const std::string& heading, const std::vector<Contender>& contenders, bool rate) {
  std::printf("%s\n  %-34s %22s %26s\n", heading.c_str(), "", rate ? "requests/s median, best" : "ms median, best",
              "ours / it: median, best");
  for (const Contender& contender : contenders) {
    const double middle = median(contender.seconds), best = fast(contender.seconds), ours = fast(contenders[0].seconds);
    const double ratio = rate ? median_of_ratios(contender.seconds, contenders[0].seconds)
                              : median_of_ratios(contenders[0].seconds, contender.seconds);
    std::printf("  %-34s %11.2f %10.2f %15.3f %10.3f\n", contender.name.c_str(), rate ? 1 / middle : 1e3 * middle,
                rate ? 1 / best : 1e3 * best, ratio, rate ? best / ours : ours / best);
  }
}

void rivals(const std::string& path, const mpq::Model& model, const mpq::Samples& samples, int rounds) {
  const mpq::Profile profile = profile_of(model, samples, "cpu:0,cpu:1,cpu:0-1");
  const auto settle = [&](mpq::TaskKind task) {
    mpq::RunTaskOptions options;
    options.place.task = task;
    return mpq::settle_placement(model, profile, samples, options);
  };
  const mpq::Placement stream = settle(mpq::TaskKind::kAsync).placement;
  const mpq::Placement single = settle(mpq::TaskKind::kSync).placement;
  std::printf("segments %zu; async: %s, predicted %.1f requests/s; ", profile.segments.size(), stream.strategy.c_str(),
              stream.rate);
  for (const auto& other : stream.alternatives) std::printf("%s %.1f; ", other.strategy.c_str(), other.rate);
  std::printf("\nsync: %s, predicted %.3f ms, lower bound %.3f ms (chain %.3f, work %.3f)\n", single.strategy.c_str(),
              1e3 * single.seconds, 1e3 * single.lower_bound(), 1e3 * single.critical_path, 1e3 * single.work_bound);
  const auto feed = [&](int i) -> const mpq::Feed& { return samples[static_cast<std::size_t>(i) % samples.size()]; };
  mpq::Executor ours(model, profile, stream), ours_sync(model, profile, single);
  Rival one(path, 1, 1, false), two(path, 2, 1, false), parallel(path, 1, 2, true), left(path, 1, 1, false),
      right(path, 1, 1, false);
  const auto loop = [&](Rival& rival) {
    return [&](int requests) {
      for (int i = 0; i < requests; ++i) rival.run(feed(i));
    };
  };
  const auto stream_ours = [&](int requests) {
    std::vector<std::future<mpq::Feed>> answers;
    for (int i = 0; i < requests; ++i) answers.push_back(ours.submit(feed(i)));
    for (auto& answer : answers) answer.get();
  };
  const auto both = [&](int requests) {
    std::thread helper([&] {
      for (int i = 1; i < requests; i += 2) right.run(feed(i));
    });
    for (int i = 0; i < requests; i += 2) left.run(feed(i));
    helper.join();
  };
  const double once = seconds_of([&] { loop(one)(3); }) / 3;
  const int requests = std::clamp(static_cast<int>(0.15 / once), 4, 200) / 2 * 2;
  std::vector<Contender> throughput = {{"mpq async", stream_ours, {}},
                                       {"(a) 1 thread", loop(one), {}},
                                       {"(b) 2 intra-op threads", loop(two), {}},
                                       {"(c) parallel execution mode", loop(parallel), {}},
                                       {"(d) two sessions, 1 thread each", both, {}}};
  take_turns(throughput, rounds, requests);
  print("throughput, " + std::to_string(rounds) + " rounds of " + std::to_string(requests) + " requests", throughput,
        true);
  std::printf("  predicted / measured rate: %.3f, best rounds %.3f\n", stream.rate * median(throughput[0].seconds),
              stream.rate * fast(throughput[0].seconds));

  const auto ours_one = [&](int count) {
    for (int i = 0; i < count; ++i) ours_sync.run(feed(i));
  };
  std::vector<Contender> latency = {{"mpq sync", ours_one, {}},
                                    {"(a) 1 thread", loop(one), {}},
                                    {"(b) 2 intra-op threads", loop(two), {}},
                                    {"(c) parallel execution mode", loop(parallel), {}}};
  take_turns(latency, 2 * rounds, std::max(1, requests / 8));
  print("latency", latency, false);
  std::printf("  measured / lower bound: %.3f, best rounds %.3f\n", median(latency[0].seconds) / single.lower_bound(),
              fast(latency[0].seconds) / single.lower_bound());
}

// --- predictions ---

mpq::Placement random_placement(const mpq::Profile& profile, std::mt19937_64& random) {
  const auto below = [&](int limit) { return static_cast<int>(random() % static_cast<std::uint64_t>(limit)); };
  const int n = static_cast<int>(profile.segments.size());
  mpq::Placement placement;
  placement.task = below(2) == 0 ? mpq::TaskKind::kSync : mpq::TaskKind::kAsync;
  mpq::Lane& lane = placement.lanes.emplace_back();
  std::vector<int> cuts = {0, n};
  const int stages = 1 + below(std::min(3, n));
  while (static_cast<int>(cuts.size()) < stages + 1) {
    const int cut = 1 + below(n - 1);
    if (std::find(cuts.begin(), cuts.end(), cut) == cuts.end()) cuts.push_back(cut);
  }
  std::sort(cuts.begin(), cuts.end());
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    mpq::PlacedSubnet& subnet = lane.subnets.emplace_back();
    for (int s = cuts[i]; s < cuts[i + 1]; ++s) subnet.segments.push_back(s);
    subnet.processors = {below(2)};
  }
  lane.in_flight = 2 * stages;
  return mpq::priced(profile, placement);
}

void predictions(const mpq::Model& model, const mpq::Samples& samples, int count) {
  const mpq::Profile profile = profile_of(model, samples, "cpu:0,cpu:1");
  std::mt19937_64 random(1);
  std::vector<double> errors;
  constexpr double kLarge = 0.15;  // what is worth a line of its own
  for (int i = 0; i < count; ++i) {
    const mpq::Placement placement = random_placement(profile, random);
    mpq::Executor executor(model, profile, placement);
    const auto feed = [&](int k) -> const mpq::Feed& { return samples[static_cast<std::size_t>(k) % samples.size()]; };
    for (int k = 0; k < 3; ++k) executor.run(feed(k));
    std::vector<double> measured;
    for (int repeat = 0; repeat < 5; ++repeat) {
      const int requests = std::clamp(static_cast<int>(0.1 * placement.rate), 3, 60);
      measured.push_back(seconds_of([&] {
                           std::vector<std::future<mpq::Feed>> answers;
                           for (int k = 0; k < requests; ++k) {
                             if (placement.task == mpq::TaskKind::kSync) {
                               executor.run(feed(k));
                             } else {
                               answers.push_back(executor.submit(feed(k)));
                             }
                           }
                           for (auto& answer : answers) answer.get();
                         }) /
                         requests);
    }
    // A short stream also fills and empties the pipeline: that is simulated, not predicted by the rate alone.
    const double predicted =
        placement.task == mpq::TaskKind::kSync
            ? placement.seconds
            : 1 / mpq::simulate(placement, std::clamp(static_cast<int>(0.1 * placement.rate), 3, 60)).rate;
    errors.push_back(std::abs(predicted / median(measured) - 1));
    if (errors.back() > kLarge) {
      std::printf("  %s, predicted %.2f ms, measured %.2f:", mpq::to_string(placement.task), 1e3 * predicted,
                  1e3 * median(measured));
      for (const auto& subnet : placement.lanes[0].subnets)
        std::printf(" segments %d-%d on %d,", subnet.segments.front(), subnet.segments.back(), subnet.processors[0]);
      std::printf("\n");
    }
  }
  std::sort(errors.begin(), errors.end());
  std::printf("predictions: %d random placements, error median %.1f %%, 90 %% below %.1f %%, worst %.1f %%\n", count,
              100 * median(errors), 100 * errors[errors.size() * 9 / 10], 100 * errors.back());
}

// --- processors of unequal speed ---

/// The profile's first processor several times, as processors of their own that sleep.
mpq::Profile copies(const mpq::Profile& profile, const std::vector<double>& slowdowns, double transfer_seconds,
                    double per_byte) {
  mpq::Profile result = profile;
  result.processors.clear();
  result.columns.clear();
  result.transfers.clear();
  for (std::size_t i = 0; i < slowdowns.size(); ++i) {
    mpq::Processor processor = profile.processors[0];
    processor.name = "slow" + std::to_string(i);
    processor.device = processor.name;
    processor.cores.clear();
    processor.slowdown = slowdowns[i];
    processor.call_seconds *= slowdowns[i];
    result.processors.push_back(processor);
    mpq::CostColumn column = *profile.column(0, profile.base_precision);
    column.processor = static_cast<int>(i);
    for (mpq::SegmentCost& cost : column.costs) {
      cost.alone.seconds *= slowdowns[i];
      cost.with_next.seconds *= slowdowns[i];
    }
    if (column.whole) column.whole->seconds *= slowdowns[i];
    if (column.predicted) *column.predicted *= slowdowns[i];
    result.columns.push_back(column);
    for (std::size_t j = 0; j < slowdowns.size(); ++j) {
      if (i != j) result.transfers.push_back({static_cast<int>(i), static_cast<int>(j), transfer_seconds, per_byte, 0});
    }
  }
  return result;
}

void print(const mpq::Placement& placement, const std::vector<mpq::SubnetFigures>& figures) {
  for (const mpq::SubnetFigures& seen : figures) {
    const auto& lane = placement.lanes[static_cast<std::size_t>(seen.lane)];
    const auto& segments = lane.subnets[static_cast<std::size_t>(seen.subnet)].segments;
    std::printf("  segments %d-%d on processor %d: predicted %.1f ms, measured %.1f ms, %d runs\n", segments.front(),
                segments.back(), seen.processor, 1e3 * seen.predicted_seconds, 1e3 * seen.measured_seconds,
                static_cast<int>(seen.runs));
  }
}

/// The best single pipeline over three processors.
mpq::Placement best_pipeline(const mpq::Profile& profile) {
  mpq::Placement pipeline, best;
  mpq::Lane& lane = pipeline.lanes.emplace_back();
  const int n = static_cast<int>(profile.segments.size());
  for (int a = 1; a < n; ++a) {
    for (int b = a + 1; b < n; ++b) {
      lane.subnets.assign(3, {});
      for (int s = 0; s < n; ++s) lane.subnets[s < a ? 0 : s < b ? 1 : 2].segments.push_back(s);
      for (int k = 0; k < 3; ++k) lane.subnets[static_cast<std::size_t>(k)].processors = {k};
      lane.in_flight = 6;
      const mpq::Placement trial = mpq::priced(profile, pipeline);
      if (trial.rate > best.rate) best = trial;
    }
  }
  return best;
}

void unequal(const mpq::Model& model, const mpq::Samples& samples) {
  const mpq::Profile measured = profile_of(model, samples, "cpu:0");
  const double fixed = 2e-5;
  const mpq::Profile profile = copies(measured, {10, 20, 40}, fixed, 0);
  double ideal = 0;
  for (int p = 0; p < 3; ++p) ideal += 1 / profile.column(p, profile.base_precision)->whole->seconds;
  std::vector<mpq::SubnetFigures> figures;
  const auto measure = [&](const mpq::Placement& placement, int requests) {
    mpq::ExecutorOptions options;
    options.trace = true;
    mpq::Executor executor(model, profile, placement, options);
    for (int k = 0; k < 3; ++k) executor.run(samples[0]);
    std::vector<std::future<mpq::Feed>> answers;
    const double seconds = seconds_of([&] {
      for (int k = 0; k < requests; ++k)
        answers.push_back(executor.submit(samples[static_cast<std::size_t>(k) % samples.size()]));
      for (auto& answer : answers) answer.get();
    });
    figures = mpq::subnet_figures(executor.events(), placement);
    print(placement, figures);
    return requests / seconds;
  };
  constexpr int kRequests = 200, kTrialRequests = 15;
  const mpq::Placement best = mpq::place(profile);
  std::printf("speeds 1:2:4: %s, predicted %.1f %% of the ideal, measured %.1f %%\n", best.strategy.c_str(),
              100 * best.rate / ideal, 100 * measure(best, kRequests) / ideal);
  // One pipeline over all three, cut where the speeds say; then, as run_task does it, cut again by what its stages
  // took.
  mpq::Profile known = profile;
  mpq::Placement pipeline = best_pipeline(known), settled;
  if (pipeline.lanes.empty()) return;
  for (int trial = 0; trial < 4; ++trial) {
    std::printf("one pipeline, predicted %.1f %% of the ideal; tried:\n", 100 * pipeline.rate / ideal);
    measure(pipeline, kTrialRequests);
    known = mpq::learned(known, pipeline, figures);
    const mpq::Placement seen = mpq::priced(known, pipeline);
    if (seen.rate > settled.rate) settled = seen;
    pipeline = best_pipeline(known);
  }
  std::printf("one pipeline, predicted %.1f %% of the ideal, measured %.1f %%\n", 100 * settled.rate / ideal,
              100 * measure(settled, kRequests) / ideal);
}

// --- on paper ---

void scaling(const mpq::Model& model, const mpq::Samples& samples) {
  const mpq::Profile measured = profile_of(model, samples, "cpu:0");
  std::printf(
      "on paper: throughput as a multiple of one processor's, planned (and simulated with times that vary by 10 %%)\n");
  std::printf("  %-10s %-22s %-22s %-22s %-22s\n", "processors", "replicas", "one pipeline", "pipeline, 100 us a cut",
              "pipeline, 1 GB/s too");
  const double one = mpq::place(copies(measured, {1}, 0, 0)).rate;
  for (int count = 1; count <= 8; ++count) {
    std::printf("  %-10d", count);
    for (int way = 0; way < 4; ++way) {
      const mpq::Profile profile = copies(measured, std::vector<double>(static_cast<std::size_t>(count), 1.0),
                                          way >= 2 ? 1e-4 : 0, way == 3 ? 1e-9 : 0);
      const mpq::Placement placement = mpq::place(profile);
      double rate = 0;
      for (const auto& other : placement.alternatives) {
        if (other.strategy == (way == 0 ? "replicas" : "pipeline")) rate = other.rate;
      }
      if (count == 1) rate = placement.rate;
      if (way == 0) {
        std::printf(" %-22s", (std::to_string(rate / one).substr(0, 5) + " (" +
                               std::to_string(mpq::simulate(placement, 2000, 0.1).rate / one).substr(0, 5) + ")")
                                  .c_str());
      } else {
        std::printf(" %-22.3f", rate / one);
      }
    }
    std::printf("\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string part = argc > 1 ? argv[1] : "";
    if (argc < 4) {
      std::fprintf(stderr, "usage: bench_placement rivals|predictions|unequal|scaling MODEL DATA [ROUNDS]\n");
      return 2;
    }
    const std::string path = argv[2];
    const mpq::Model model = mpq::Model::load(path);
    const mpq::Samples samples = mpq::Samples::open(argv[3], model, {.limit = 8, .image_preset = {}});
    const int rounds = argc > 4 ? std::atoi(argv[4]) : 0;
    std::printf("\n%s: %s\n", part.c_str(), path.c_str());
    if (part == "rivals") rivals(path, model, samples, rounds > 0 ? rounds : 20);
    if (part == "predictions") predictions(model, samples, rounds > 0 ? rounds : 30);
    if (part == "unequal") unequal(model, samples);
    if (part == "scaling") scaling(model, samples);
    return 0;
  } catch (const mpq::Error& error) {
    std::fprintf(stderr, "error: %s %s\n", error.what(), error.hint().c_str());
    return 1;
  }
}
