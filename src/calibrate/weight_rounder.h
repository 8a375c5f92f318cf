#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mpq/model.h"
#include "mpq/observer.h"
#include "mpq/samples.h"

#include "calibrate/layer_inputs.h"
#include "calibrate/quantized_prefix.h"
#include "calibrate/rounded_network.h"
#include "graph/cut.h"
#include "graph/memory_plan.h"
#include "quantize/layer_rounding.h"

namespace mpq::calibrate {

/// A layer and the grid it is to be stored on.
struct RoundingRequest {
  std::size_t layer = 0;
  Candidate candidate;
  bool operator==(const RoundingRequest&) const = default;
};

/// How a network is rounded: every layer on what the float network delivers, or front to back, on what the layers
/// rounded before it deliver; or on little more than its own weights, where the samples are no real ones.
enum class RoundingStyle { kSecondOrder, kSequential, kDataFree };

/// The samples a trial is not fitted to: every other one. Empty where there is one sample, whose rows are split then.
Samples held_out_of(const Samples& samples);

/// Rounds layers with the statistics of their inputs, captured by running the model on calibration samples.
/// Two networks come out. The trial is not fitted to held_out_of the samples, so they judge it as new ones would, also
/// where layers see what the layers rounded before them deliver. The final one is fitted to all samples, with the
/// methods that the trial chose.
class WeightRounder {
 public:
  /// Refers to all of its arguments. `threads` as everywhere: 0 = all cores; results do not depend on it.
  /// With pieces in `memory` the network runs piece by piece, integers go to disk, and layers whose statistics take
  /// too much memory are passed over.
  WeightRounder(const Model& model, const Samples& samples, int threads, Observer& observer,
                const graph::MemoryPlan& memory = {});

  struct Networks {
    RoundedNetwork trial, final;
  };
  /// Layers whose inputs cannot be captured are passed over. Data-free rounding chooses nothing: it needs no trial. Of
  /// a trial by pieces the methods alone are kept. Piece by piece nothing is rounded in sequence: every layer is
  /// rounded on what the float network delivers.
  Networks round(const std::vector<RoundingRequest>& requests, RoundingStyle style, quant::ScaleFit fit);

  /// The bias the layer's mean error goes into, and its numbers with the error taken off; an empty name for none.
  std::pair<std::string, std::vector<float>> corrected_bias(std::size_t layer,
                                                            const quant::LayerRounding& rounding) const;

 private:
  /// Layers that read the same rows, and what was seen of these.
  struct Job {
    LayerInputs inputs;
    std::vector<std::size_t> requests;
    quant::InputStatistics statistics;        ///< of the trial
    quant::InputStatistics final_statistics;  ///< of the final network, where layers see what earlier ones deliver
    bool usable = true;
  };
  /// One network while it is rounded front to back, and how far its forward pass got.
  struct Prefix;
  using Jobs = std::vector<Job*>;
  using Roundings = std::vector<std::pair<RoundingRequest, quant::LayerRounding>>;
  static std::int64_t statistics_bytes(const quant::MatrixView& view);
  static std::vector<std::string> activations_of(const std::vector<const InputUse*>& uses);
  std::vector<Job> jobs_for(const std::vector<RoundingRequest>& requests);
  std::optional<LayerInputs> find_inputs(std::size_t layer) const;
  Networks round_apart(const std::vector<RoundingRequest>& requests, std::vector<Job>& jobs, quant::ScaleFit fit,
                       bool data_free) const;
  Networks round_in_sequence(const std::vector<RoundingRequest>& requests, std::vector<Job>& jobs,
                             quant::ScaleFit fit) const;
  Networks round_by_pieces(const std::vector<RoundingRequest>& requests, std::vector<Job>& jobs, quant::ScaleFit fit,
                           bool data_free) const;
  void round_jobs(const std::vector<RoundingRequest>& requests, const Jobs& batch, quant::ScaleFit fit, bool data_free,
                  Networks& networks) const;
  std::int64_t statistics_limit() const;
  QuantizedPrefix start_prefix(const std::vector<RoundingRequest>& requests, quant::ScaleFit fit) const;
  using Capture = std::function<Feed(std::size_t sample)>;
  void collect(const Jobs& batch, const Capture& capture) const;
  void collect(Job& job, Prefix& before, Prefix& trial, Prefix& final) const;
  /// Calls capture(sample) and then add(sample, what it gave) for every sample, as many at a time as memory allows.
  void for_each_sample(const std::function<std::vector<Feed>(std::size_t)>& capture,
                       const std::function<void(std::size_t, const std::vector<Feed>&)>& add) const;
  void add_sample(Job& job, std::size_t sample, const Feed& now, const Feed* before, quant::RowCollector& rows) const;
  using Round = std::function<quant::LayerRounding(const quant::RoundingTask&, const quant::InputStatistics&)>;
  /// Rounds the layers of a batch: with `methods`, by what they hold of a layer, else as `round` does.
  Roundings round_batch(const std::vector<RoundingRequest>& requests, const Jobs& batch, quant::ScaleFit fit,
                        const RoundedNetwork* methods, const Round& round = quant::choose_rounding) const;
  /// Takes the roundings into the network, and into the prefix.
  void keep(Roundings roundings, RoundedNetwork& network, Prefix* prefix) const;
  void tell(const Roundings& roundings) const;
  void progress(const std::vector<Job>& jobs, std::size_t done) const;
  void check_cancelled() const;

  const Model& model_;
  const Samples& samples_;
  int threads_;
  Observer& observer_;
  graph::MemoryPlan memory_;
  graph::RunForm whole_;  ///< as the model is
  graph::RunForm form_;   ///< with the branches that all samples take
  std::map<std::size_t, LayerInputs> inputs_;
};

}  // namespace mpq::calibrate
