#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mpq/model.h"
#include "mpq/observer.h"
#include "mpq/samples.h"
#include "mpq/sensitivity.h"
#include "mpq/tensor.h"

namespace mpq {

/// The machine a profile was measured on.
struct MachineFacts {
  std::string cpu;      ///< the processor's own name
  int cores = 0;        ///< logical cores the process could use
  std::string runtime;  ///< "ONNX Runtime 1.32.0"
  std::string sha256;   ///< of the three above: what require_matches compares
};

/// An execution provider on a device with its own cores.
struct Processor {
  std::string name;      ///< as the user wrote it: "cpu:0-1", "openvino:cpu@1", "webgpu", "cuda:0"
  std::string provider;  ///< "cpu" | "openvino" | "webgpu" | "cuda"
  std::string device;    ///< the provider's device: "cpu", "gpu", "npu" for OpenVINO, "0" for CUDA; else ""
  /// Logical cores its threads are pinned to, ascending. Empty as parsed means all; in a profile only providers that do
  /// not compute on the CPU have none.
  std::vector<int> cores;
  /// For tests: every run takes so many times a session's shortest ("cpu:0x4" is 4); the rest is slept. 1 = as it is.
  double slowdown = 1;
  std::vector<std::string> precisions;  ///< it was measured at, e.g. {"float32", "int8", "int4"}
  std::string description;              ///< the provider's version and device
  std::string absent;                   ///< one sentence why it cannot be used; empty when it can
  double call_seconds = 0;              ///< fixed cost of running any session once
  double noise = 0;                     ///< relative spread of the same work timed again and again during the profile

  bool present() const { return absent.empty(); }
};

/// A tensor that crosses from one segment to another, or enters or leaves the network.
struct BoundaryTensor {
  std::string name;
  DType dtype = DType::kFloat32;
  std::vector<std::int64_t> shape;  ///< with the samples the profile was made with
  /// Parallel to `shape`: "" where the extent is always the same, else its name, "?" for one without.
  std::vector<std::string> symbols;
  std::int64_t bytes = 0;
  int producer = -1;           ///< the segment that computes it; -1 for an input of the network
  std::vector<int> consumers;  ///< the segments that read it, ascending
  bool network_output = false;
};

/// A layer or group of layers that is not worth or not safe to be divided: a node of the planner's graph.
struct Segment {
  std::string name;                  ///< of its heaviest node; unique
  std::vector<int> nodes;            ///< positions in graph::RunForm::model's graph, ascending
  std::vector<int> inputs, outputs;  ///< positions in Profile::tensors
  std::vector<int> predecessors;     ///< segments that must have run before, ascending; all below its own number
  std::vector<std::string> layers;   ///< quantizable layers (Layer::name) whose weights it uses
  std::int64_t parameters = 0;       ///< weights of these layers
};

/// Repeated wall times of one piece of work.
struct Timing {
  double seconds = 0;  ///< median
  double spread = 0;   ///< median absolute deviation from it, in seconds
  int count = 0;
};

/// One segment on one processor at one precision.
struct SegmentCost {
  Timing alone;  ///< run by itself as one session
  /// Run in one session with the next segment; a count of 0 where there is none or where that could not be run. Says
  /// what a cut between the two costs: layouts converted twice, fusions lost, one session call more.
  Timing with_next;
  std::int64_t memory_bytes = 0;  ///< of the session: weights as they lie in memory and activations
  std::string same_as;            ///< the precision it was measured at, where this one changes nothing in the segment
  std::string unsupported;        ///< one sentence why it cannot run; empty when it can

  bool supported() const { return unsupported.empty(); }
};

/// All segments on one processor at one precision.
struct CostColumn {
  int processor = 0;                ///< position in Profile::processors
  std::string precision;            ///< "float32", "bfloat16", "int8", "int4"; "stored" (Profile::base_precision)
  std::vector<SegmentCost> costs;   ///< parallel to Profile::segments
  std::optional<Timing> whole;      ///< the network as one session, where it runs
  std::int64_t memory_bytes = 0;    ///< of that session
  std::optional<double> predicted;  ///< what subnet_seconds says of all segments together, to be held against `whole`
};

/// Handing tensors from one processor to another, fitted to measured times: fixed + bytes * per_byte.
struct TransferCost {
  int from = 0, to = 0;  ///< positions in Profile::processors
  double fixed_seconds = 0;
  double seconds_per_byte = 0;
  double error = 0;  ///< root mean square of the fit's relative errors
};

/// One profile of one network over all processors of a machine: what `mpq profile` writes (US20210232921A1).
struct Profile {
  static constexpr int kSchemaVersion = 1;
  ModelFacts model;
  DataFacts data;
  MachineFacts machine;
  /// The precision of the model as it stands: "float32", or "stored" for one that holds quantized parts already.
  std::string base_precision = "float32";
  std::vector<Processor> processors;  ///< in the order asked for, absent ones included
  std::vector<BoundaryTensor> tensors;
  std::vector<Segment> segments;  ///< in topological order
  std::vector<CostColumn> columns;
  /// Layers that at int8 and int4 run on an int8 kernel with int8 activations, whatever their width
  /// (docs/compute-forms.md). None where the profile was made with synthetic inputs, from which no ranges come.
  std::vector<std::string> integer_activations;
  std::vector<TransferCost> transfers;  ///< every ordered pair of different present processors
  double noise = 0;                     ///< the largest of the present processors'
  double seconds = 0;                   ///< wall time of the measurement, over all runs it took

  /// Null when the processor was not measured at that precision.
  const CostColumn* column(int processor, const std::string& precision) const;
};

std::string to_json(const Profile& value);
/// Throws Error{kInvalidInput}.
Profile profile_from_json(const std::string& text, const std::string& where);
/// Reads a *.profile.json. Throws Error{kInvalidInput}.
Profile read_profile(const std::string& path);

/// What enters and leaves a set of segments when they run as one session: positions in Profile::tensors, ascending.
struct SubnetBoundary {
  std::vector<int> inputs, outputs;
};
/// `segments`: distinct positions in Profile::segments. An output is what another segment or the caller needs.
SubnetBoundary subnet_boundary(const Profile& profile, const std::vector<int>& segments);

/// Predicted seconds of these segments (ascending) in one session: their times alone, less what neighbours save
/// together. Infinite when one of them cannot run there. For neighbours i and i+1 the saving is
/// alone(i) + alone(i+1) - with_next(i); for others it is one session call.
double subnet_seconds(const Profile& profile, const std::vector<int>& segments, int processor,
                      const std::string& precision);

/// Predicted seconds of handing so many bytes over; 0 on one processor.
double transfer_seconds(const Profile& profile, int from, int to, std::int64_t bytes);

/// The machine mpq runs on now.
MachineFacts this_machine();

/// Throws Error{kInvalidInput} when `profile` is of another model or was measured on another machine or runtime.
void require_matches(const Profile& profile, const Model& model);

/// One entry of `--devices`: PROVIDER[:DEVICE][@CORES], or cpu[:CORES]; CORES is "0", "0-3" or "0+2".
/// Throws Error{kUsage} for what is none. Does not look whether the processor is there.
Processor parse_processor(const std::string& text);
/// The whole comma-separated list. Throws Error{kUsage}, also for an empty list and for a name given twice.
std::vector<Processor> parse_processors(const std::string& list);

struct ProfileOptions {
  std::vector<Processor> processors;    ///< as parse_processors returns them
  std::vector<std::string> precisions;  ///< empty: all each provider has
  int repeats = 15;                     ///< timed runs of every segment, processor and precision
  double seconds_per_cell = 1.0;        ///< fewer runs, but at least 3, where they would take longer
  std::string openvino_library;         ///< path of the OpenVINO plugin provider; empty: MPQ_OPENVINO_LIBRARY
  std::string webgpu_library;           ///< path of the WebGPU plugin provider; empty: MPQ_WEBGPU_LIBRARY, or built in
  /// Where an interrupted run keeps what is done and a repeated one takes it up; empty = nowhere.
  std::string checkpoint_path;
  void validate() const;
};

/// Cuts the network into segments and measures every segment on every processor at every precision, and the transfers
/// between processors. A processor that is not there, or cannot run a segment, is an answer and no error.
/// Throws Error{kInvalidInput} when the model does not run on the samples on the CPU.
Profile profile(const Model& model, const Samples& samples, const ProfileOptions& options,
                Observer& observer = silent_observer());

}  // namespace mpq
