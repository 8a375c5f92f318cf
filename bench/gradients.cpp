// Gradients of the reverse-mode graph against central differences of the network, for every layer of real models.
//
//   cmake --preset bench && cmake --build --preset bench --target bench_gradients
//   build/bench/bench/bench_gradients models/digits models/fetched/minilm      # folders with model.onnx and
//   calibration.npz
//
// Along random directions E: <G, E> by the adjoint, and the difference of <v, output> at W + E and W - E over 2, for
// random v. The error is the root mean square over the directions of what they differ by, relative to that of <G, E>.
// Both are in single precision: long steps flip ReLUs, short ones drown in rounding errors, so the best of three
// lengths counts.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "mpq/mpq.h"

#include "analyze/adjoint_observe.h"
#include "analyze/experiment.h"
#include "calibrate/quantized_prefix.h"
#include "graph/adjoint/adjoint.h"
#include "graph/adjoint/unroll.h"
#include "graph/adjoint/upgrade.h"
#include "runtime/session.h"
#include "runtime/taken_branches.h"
#include "support/random.h"

namespace {

namespace adjoint = mpq::graph::adjoint;
using mpq::Feed;
using mpq::Tensor;

constexpr std::size_t kDirections = 3;
constexpr std::array<double, 3> kSteps = {1. / 500, 1. / 4000, 1. / 32000};  // lengths, of the weight's

struct Network {
  mpq::graph::RunForm form;  ///< as the adjoint is written for it
  adjoint::FactsMap facts;
  std::vector<std::string> outputs;
};

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

std::vector<float> gaussians(std::uint64_t key, std::size_t count, double length) {
  std::vector<float> values(count);
  mpq::fill_gaussian(mpq::Philox(key), values);
  const auto factor = static_cast<float>(length / std::sqrt(dot(values, values)));
  for (float& value : values) value *= factor;
  return values;
}

Network prepared(const mpq::perturb::Experiment& experiment) {
  const Feed& sample = experiment.samples[0];
  Network network;
  const mpq::graph::RunForm form = adjoint::upgraded(mpq::runtime::taken_branches(experiment.form, experiment.samples));
  network.form = adjoint::unrolled(form, mpq::perturb::observe(experiment, form, sample));
  network.facts = mpq::perturb::observe(experiment, network.form, sample);
  network.outputs = experiment.outputs;
  return network;
}

/// <v, outputs> with the weight replaced.
double loss(const Network& network, const std::string& weight, const std::vector<float>& numbers, const Feed& sample,
            const std::vector<std::vector<float>>& v) {
  mpq::calibrate::QuantizedPrefix changed(network.form);
  changed.set(weight, numbers);
  const mpq::runtime::Session session(changed.form().model, *changed.form().store, {.optimization_level = 1});
  const std::vector<Tensor> outputs = session.run(sample, network.outputs);
  double sum = 0;
  for (std::size_t o = 0; o < outputs.size(); ++o) sum += dot(outputs[o].as<float>(), v[o]);
  return sum;
}

/// The error, as told above; negative where there is no adjoint.
double error_of(const Network& network, const std::string& weight, const std::vector<float>& numbers,
                const Feed& sample) {
  std::vector<adjoint::Head> heads;
  for (const std::string& output : network.outputs) heads.push_back({output, adjoint::Head::Kind::kDirect});
  const adjoint::AdjointGraph graph = adjoint::build(network.form.model, network.facts, {weight}, heads, 1);
  if (graph.weights[0].dense.empty()) return -1;
  Feed feed = sample;
  std::vector<std::vector<float>> v;
  for (std::size_t h = 0; h < heads.size(); ++h) {
    const adjoint::Shape& shape = network.facts.at(heads[h].value).shape;
    v.push_back(gaussians(7 + h, static_cast<std::size_t>(adjoint::count_of(shape)), 1));
    Tensor probe(mpq::DType::kFloat32, adjoint::joined({1}, shape));
    std::copy(v.back().begin(), v.back().end(), probe.as_mutable<float>().begin());
    feed.insert_or_assign(graph.probes[h], std::move(probe));
  }
  const Tensor gradient =
      mpq::runtime::Session(graph.model, *network.form.store).run(feed, {graph.weights[0].dense})[0];
  double least = std::numeric_limits<double>::infinity();
  for (const double length : kSteps) {
    double error = 0, size = 0;
    for (std::size_t d = 0; d < kDirections; ++d) {
      const std::vector<float> step = gaussians(100 + d, numbers.size(), length * std::sqrt(dot(numbers, numbers)));
      std::vector<float> forth = numbers, back = numbers;
      for (std::size_t i = 0; i < step.size(); ++i) {
        forth[i] += step[i];
        back[i] -= step[i];
      }
      const double found = dot(gradient.as<float>(), step);
      const double expected = (loss(network, weight, forth, sample, v) - loss(network, weight, back, sample, v)) / 2;
      error += (found - expected) * (found - expected);
      size += found * found;
    }
    least = std::min(least, size > 0 ? std::sqrt(error / size) : std::sqrt(error));
  }
  return least;
}

void check(const std::string& folder) {
  const mpq::Model model = mpq::Model::load(folder + "/model.onnx");
  const mpq::Samples samples = mpq::Samples::open(folder + "/calibration.npz", model).slice(0, 1);
  mpq::AnalyzeOptions options;
  std::vector<std::vector<mpq::Candidate>> none;
  for (const mpq::Layer& layer : model.layers()) {
    if (layer.quantizable()) none.emplace_back();
  }
  const mpq::perturb::Experiment experiment =
      mpq::perturb::make_experiment(model, samples, none, options, mpq::silent_observer());
  const Network network = prepared(experiment);
  std::vector<double> errors;
  std::size_t without = 0;
  for (const mpq::perturb::Task& task : experiment.tasks) {
    const double error =
        error_of(network, experiment.form.weight_names[task.layer], model.weight(task.layer), samples[0]);
    if (error < 0) {
      ++without;
    } else {
      errors.push_back(error);
    }
  }
  std::sort(errors.begin(), errors.end());
  const auto at = [&](double share) {
    return errors[static_cast<std::size_t>(share * static_cast<double>(errors.size() - 1))];
  };
  std::printf("| %s | %zu | %zu | %.2g | %.2g | %.2g |\n", folder.c_str(), errors.size(), without, at(.5), at(.9),
              at(1));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::printf(
      "| model | layers | without a dense adjoint | median error | 90 %% | largest "
      "|\n|---|---:|---:|---:|---:|---:|\n");
  for (int i = 1; i < argc; ++i) check(argv[i]);
}
