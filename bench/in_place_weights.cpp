// How should one trial of the analysis get its perturbed weight into ONNX Runtime?
//   input    the weight is an input of the session and fed from our buffer; every other weight is a constant  (mpq)
//   editor   a Model Editor graph over our buffers, prepacking and blocked layouts switched off for all weights
//   fresh    a new session per trial, with the perturbed weight baked in as a constant
//   constant no perturbation at all: what a run costs at best
// "create" is the time to make a session, "run" that of one run, "trial" that of one perturbation, creation included
// where every trial needs it. Benchmarks are interleaved at random, so that a busy machine disturbs all alike;
// compare the medians.
//
// Medians of CPU milliseconds with ONNX Runtime 1.32.0, one thread (the machine was busy; the ratios held):
//                16 convolutions 64x64x3x3 at 28x28        16 products 512x512, 16 rows
//                create    trial                           create    trial
//     input      6.6       10.1                            16.8      3.1
//     editor     3.1       15.9 (1.6 x)                    2.0       6.4 (2.0 x)
//     fresh      -         17.3 (1.7 x)                    -         28.4 (9 x)
//     constant   -         9.8                             -         2.6
// The dearer creation of "input" is earned back after one trial, or five. What "editor" has for it is memory: its
// sessions share the weights, while each of ours holds packed copies of those behind the perturbed layer. So sessions
// of the analysis live for the trials of one layer.
//
//   bench_in_place_weights [--benchmark_filter=...]

#include <array>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "editor_graph.h"
#include "runtime/session.h"
#include "runtime/values.h"
#include "stored_graph.h"

namespace mpq::runtime {
namespace {

/// A chain of equal layers, with a residual connection around every second one if they are convolutions.
struct Network {
  std::string op;
  std::vector<std::int64_t> activation;
  std::vector<std::int64_t> weight;
  int layers = 0;
  bool residual = false;

  std::size_t middle() const { return static_cast<std::size_t>(layers) / 2; }
  std::vector<Tensor> weights() const {
    std::vector<Tensor> all;
    for (int i = 0; i < layers; ++i) all.push_back(own_copy(normal(weight, static_cast<std::uint64_t>(i), 0.04F)));
    return all;
  }
};

// The shape of a ResNet stage, and of a small transformer's projections over 16 tokens.
const Network kConvolutions{"Conv", {1, 64, 28, 28}, {64, 64, 3, 3}, 16, true};
const Network kProducts{"MatMul", {16, 512}, {512, 512}, 16, false};

std::string extents(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t extent : shape) text += (text.empty() ? "" : ", ") + std::to_string(extent);
  return "[" + text + "]";
}

std::string node_text(const Network& net, int i) {
  const std::string n = std::to_string(i), next = std::to_string(i + 1);
  std::string text =
      "a" + n + " = " + net.op + (net.op == "Conv" ? "<pads = [1, 1, 1, 1]>" : "") + "(x" + n + ", w" + n + ") ";
  if (net.residual && i % 2 == 1) {
    text += "s" + n + " = Add(a" + n + ", x" + std::to_string(i - 1) + ") x" + next + " = Relu(s" + n + ") ";
  } else {
    text += "x" + next + " = Relu(a" + n + ") ";
  }
  return text;
}

/// `variable` is the layer whose weight is an input; -1 for none.
StoredGraph stored_graph(const Network& net, const std::vector<Tensor>& weights, int variable) {
  std::string nodes;
  for (int i = 0; i < net.layers; ++i) nodes += node_text(net, i);
  const std::string type = "float" + extents(net.activation) + " ";
  StoredGraph graph("<ir_version: 8, opset_import: [\"\" : 17]> g (" + type + "x0) => (" + type + "x" +
                    std::to_string(net.layers) + ") { " + nodes + "}");
  for (int i = 0; i < net.layers; ++i) {
    const Tensor& weight = weights[static_cast<std::size_t>(i)];
    if (i == variable) {
      graph.weight_input("w" + std::to_string(i), weight);
    } else {
      graph.weight("w" + std::to_string(i), weight);
    }
  }
  return graph;
}

Ort::Session editor_session(const Network& net, std::vector<Tensor>& weights) {
  EditorGraph graph;
  graph.input("x0", net.activation);
  graph.output("x" + std::to_string(net.layers), net.activation);
  for (int i = 0; i < net.layers; ++i) {
    const std::string n = std::to_string(i), next = std::to_string(i + 1);
    graph.weight("w" + n, weights[static_cast<std::size_t>(i)]);
    std::vector<Ort::OpAttr> attributes;
    if (net.op == "Conv") attributes.push_back(EditorGraph::ints("pads", {1, 1, 1, 1}));
    graph.node(net.op, "l" + n, {"x" + n, "w" + n}, "a" + n, std::move(attributes));
    const bool add = net.residual && i % 2 == 1;
    if (add) graph.node("Add", "add" + n, {"a" + n, "x" + std::to_string(i - 1)}, "s" + n);
    graph.node("Relu", "r" + n, {(add ? "s" : "a") + n}, "x" + next);
  }
  return graph.session(true);
}

/// What a trial does to the weight before it runs.
void perturb(Tensor& weight) {
  for (float& value : weight.as_mutable<float>()) value = -value;
}

void create_input(benchmark::State& state, const Network& net) {
  const StoredGraph graph = stored_graph(net, net.weights(), static_cast<int>(net.middle()));
  for (auto _ : state) benchmark::DoNotOptimize(Session(graph.model, graph.store));
}

void create_editor(benchmark::State& state, const Network& net) {
  std::vector<Tensor> weights = net.weights();
  for (auto _ : state) benchmark::DoNotOptimize(editor_session(net, weights));
}

void trial_input(benchmark::State& state, const Network& net) {
  std::vector<Tensor> weights = net.weights();
  const StoredGraph graph = stored_graph(net, weights, static_cast<int>(net.middle()));
  const Session session(graph.model, graph.store);
  Tensor& weight = weights[net.middle()];
  const Feed feed = {{"x0", normal(net.activation, 99)}, {"w" + std::to_string(net.middle()), weight}};
  for (auto _ : state) {
    perturb(weight);
    benchmark::DoNotOptimize(session.run(feed));
  }
}

void trial_editor(benchmark::State& state, const Network& net) {
  std::vector<Tensor> weights = net.weights();
  Ort::Session session = editor_session(net, weights);
  const Tensor x = normal(net.activation, 99);
  const Ort::Value fed = view(x);
  const std::string output = "x" + std::to_string(net.layers);
  const std::array<const char*, 1> inputs = {"x0"}, outputs = {output.c_str()};
  for (auto _ : state) {
    perturb(weights[net.middle()]);
    const auto out = session.Run(Ort::RunOptions{nullptr}, inputs.data(), &fed, 1, outputs.data(), 1);
    benchmark::DoNotOptimize(take(out[0]));
  }
}

void trial_fresh(benchmark::State& state, const Network& net) {
  std::vector<Tensor> weights = net.weights();
  const Feed feed = {{"x0", normal(net.activation, 99)}};
  for (auto _ : state) {
    perturb(weights[net.middle()]);
    const StoredGraph graph = stored_graph(net, weights, -1);
    benchmark::DoNotOptimize(Session(graph.model, graph.store).run(feed));
  }
}

void run_constant(benchmark::State& state, const Network& net) {
  const StoredGraph graph = stored_graph(net, net.weights(), -1);
  const Session session(graph.model, graph.store);
  const Feed feed = {{"x0", normal(net.activation, 99)}};
  for (auto _ : state) benchmark::DoNotOptimize(session.run(feed));
}

void add(const std::string& name, void (*body)(benchmark::State&, const Network&), const Network& net) {
  benchmark::RegisterBenchmark((name + "/" + net.op).c_str(), [body, &net](benchmark::State& state) {
    body(state, net);
  })->Unit(benchmark::kMillisecond);
}

}  // namespace
}  // namespace mpq::runtime

int main(int argc, char** argv) {
  using namespace mpq::runtime;
  for (const Network* net : {&kConvolutions, &kProducts}) {
    add("create/input", create_input, *net);
    add("create/editor", create_editor, *net);
    add("trial/input", trial_input, *net);
    add("trial/editor", trial_editor, *net);
    add("trial/fresh", trial_fresh, *net);
    add("run/constant", run_constant, *net);
  }
  // Defaults that make the figures comparable; what is given on the command line comes later and wins.
  std::vector<std::string> arguments = {argv[0], "--benchmark_enable_random_interleaving=true",
                                        "--benchmark_repetitions=9", "--benchmark_min_time=0.05",
                                        "--benchmark_report_aggregates_only=true"};
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
