// What rerunning only the part of the network behind a layer saves: the same trials both ways, in one process.
//
//   cmake --preset bench && cmake --build --preset bench --target bench_analyze_cost
//   build/bench/bench/bench_analyze_cost models/digits [TRIALS] ...      # folders with model.onnx and calibration.npz
//
// "forward" counts are processor time of all runs in units of one forward pass of the network on one thread.

#include <cstdio>
#include <cstdlib>
#include <string>

#include "mpq/mpq.h"

namespace {

mpq::AnalysisCost cost_of(const mpq::Model& model, const mpq::Samples& samples, mpq::AnalyzeOptions options,
                          bool full_reruns) {
  options.full_reruns = full_reruns;
  mpq::AnalysisCost cost;
  mpq::analyze(model, samples, options, mpq::silent_observer(), &cost);
  return cost;
}

void measure(const std::string& folder, int trials) {
  const mpq::Model model = mpq::Model::load(folder + "/model.onnx");
  const mpq::Samples samples = mpq::Samples::open(folder + "/calibration.npz", model);
  mpq::AnalyzeOptions options;
  options.engine = "rounding";
  options.trials = trials;
  options.threads = 1;
  const mpq::AnalysisCost cut = cost_of(model, samples, options, false);
  const mpq::AnalysisCost full = cost_of(model, samples, options, true);
  std::printf("| %s | %d | %lld | %.2f | %.0f | %.0f | %.1f | %.1f | %.2f |\n", folder.c_str(), trials,
              static_cast<long long>(cut.trial_runs), 1000 * cut.forward_seconds, cut.forward_equivalents,
              full.forward_equivalents, cut.seconds, full.seconds, full.seconds / cut.seconds);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::printf(
      "| model | trials | runs | forward ms | forwards, parts | forwards, whole | s, parts | s, whole | whole / parts "
      "|\n"
      "|---|---|---|---|---|---|---|---|---|\n");
  int trials = 4;
  for (int i = 1; i < argc; ++i) {
    if (const int number = std::atoi(argv[i]); number > 0) {
      trials = number;
    } else {
      measure(argv[i], trials);
    }
  }
}
