#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "mpq/model.h"
#include "mpq/samples.h"

namespace mpq {

/// What ONNX Runtime really does with the weight of one node, told from the graph it runs after its optimizations.
enum class KernelForm {
  kFloat,        ///< float weights, as they stand in the file
  kFolded,       ///< quantized in the file, turned to floats once, when the model is loaded
  kInteger,      ///< a kernel that multiplies with the integers (or looks them up)
  kDequantized,  ///< turned to floats again at every run
  kUnknown       ///< the node could not be found again in the optimized graph
};
/// "float", "folded to float", "integer", "dequantized at every run", "unknown".
const char* to_string(KernelForm form);

/// One node that multiplies with a constant weight, or looks rows of it up.
struct LayerKernel {
  std::string node;        ///< its name in the file (made unique when the file leaves it empty)
  std::string graph;       ///< "" for the main graph, else the path of the subgraph
  std::string op;          ///< its operator in the file
  bool quantized = false;  ///< the file holds its weight as integers or half floats
  KernelForm form = KernelForm::kUnknown;
  std::string kernel;       ///< operator of the kernel that runs: "QLinearConv", "MatMulNBits", "Conv"; "" if unknown
  std::string reason;       ///< one sentence where the form is not what the file's weight suggests
  double microseconds = 0;  ///< per run, with what is dequantized for it; median over runs; 0 without samples
};

struct KernelOptions {
  int threads = 1;  ///< inside one run
  int runs = 15;    ///< timed runs, after warming up; 0 = look only, run nothing
  void validate() const;
};

/// Which kernels run a model, and where its time goes.
struct KernelReport {
  std::string runtime;  ///< version of ONNX Runtime
  int threads = 1;
  double microseconds = 0;          ///< of one run: median of the sums over all nodes
  std::vector<LayerKernel> layers;  ///< in the order of the file
  /// Time per run of every operator of the optimized graph, the slowest first.
  std::vector<std::pair<std::string, double>> operators;
};

/// Loads the model with ONNX Runtime's optimizations, reads the graph it made of it, and times its nodes with the
/// runtime's own profiler over `samples` in turn. Throws Error{kInvalidInput} or {kUnsupported} when the runtime does
/// not load or run the model.
KernelReport inspect_kernels(const Model& model, const Samples& samples, const KernelOptions& options = {});

}  // namespace mpq
