#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "mpq/model.h"
#include "mpq/observer.h"
#include "mpq/samples.h"

#include "calibrate/layer_inputs.h"
#include "calibrate/quantized_prefix.h"
#include "graph/cut.h"
#include "quantize/layer_rounding.h"

namespace mpq::calibrate {

/// A layer and the grid it is to be stored on.
struct RoundingRequest {
  std::size_t layer = 0;
  Candidate candidate;
  bool operator==(const RoundingRequest&) const = default;
};

/// Rounds layers with the statistics of their inputs, captured by running the float model on calibration samples; or
/// `sequential`: front to back, every layer on what the layers rounded before it deliver (Qronos 2025).
/// Keeps what it rounded (a byte a weight), for a plan is written in more than one run form.
class WeightRounder {
 public:
  /// Refers to all of its arguments. `threads` as everywhere: 0 = all cores; results do not depend on it.
  WeightRounder(const Model& model, const Samples& samples, bool sequential, int threads, Observer& observer);

  /// Rounds what is asked for, unless that was asked for before. Layers whose inputs cannot be captured are passed
  /// over.
  void round(const std::vector<RoundingRequest>& requests, quant::ScaleFit fit);

  /// Null for a layer that was passed over: round it to nearest.
  const quant::LayerRounding* find(std::size_t layer, const Candidate& candidate) const;

  /// The bias the layer's mean error goes into, and its numbers with the error taken off; an empty name for none.
  std::pair<std::string, std::vector<float>> corrected_bias(std::size_t layer, const Candidate& candidate) const;

 private:
  /// Layers that read the same rows, and what was seen of these.
  struct Job {
    LayerInputs inputs;
    std::vector<std::size_t> requests;
    quant::InputStatistics statistics;
    bool usable = true;
  };
  /// One activation of one sample: as the quantized layers deliver it, and as the float model does.
  struct Captured {
    Feed now, before;
  };
  std::vector<Job> jobs_for(const std::vector<RoundingRequest>& requests);
  void start_prefix(const std::vector<RoundingRequest>& requests, quant::ScaleFit fit);
  void collect(const std::vector<Job*>& batch) const;
  void add_sample(Job& job, std::size_t sample, const Captured& captured) const;
  void round_batch(const std::vector<RoundingRequest>& requests, const std::vector<Job*>& batch, quant::ScaleFit fit);
  void check_cancelled() const;

  const Model& model_;
  const Samples& samples_;
  bool sequential_;
  int threads_;
  Observer& observer_;
  graph::RunForm form_;
  QuantizedPrefix prefix_;
  std::vector<RoundingRequest> done_;
  quant::ScaleFit done_fit_ = quant::ScaleFit::kMse;
  std::map<std::size_t, LayerInputs> inputs_;
  std::map<std::pair<std::size_t, std::string>, quant::LayerRounding> rounded_;
};

}  // namespace mpq::calibrate
