#include "analyze/stored_weights.h"

#include "quantize/quantize_weight.h"

namespace mpq::perturb {

namespace {

constexpr std::size_t kMostKeptBytes = std::size_t{512} << 20;

}  // namespace

StoredWeights::Entry& StoredWeights::entry(std::size_t task, std::size_t candidate) {
  const std::lock_guard lock(mutex_);
  auto& slot = entries_[{task, candidate}];
  if (!slot) slot = std::make_unique<Entry>();
  return *slot;
}

bool StoredWeights::may_keep(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (kept_bytes_ + bytes > kMostKeptBytes) return false;
  kept_bytes_ += bytes;
  return true;
}

std::vector<float> StoredWeights::values(std::size_t task, std::size_t candidate, std::span<const float> weight) {
  const Layer& layer = experiment_.layer_of(experiment_.tasks[task]);
  const Candidate& form = experiment_.tasks[task].candidates[candidate];
  if (!form.has_scales()) return quant::stored_values(weight, layer, form, experiment_.fit);
  Entry& kept = entry(task, candidate);
  const std::lock_guard lock(kept.mutex);
  if (kept.grid) return quant::dequantize(*kept.grid);
  auto grid =
      std::make_shared<const quant::QuantizedTensor>(quant::quantize_weight(weight, layer, form, experiment_.fit));
  if (may_keep(weight.size())) kept.grid = grid;
  return quant::dequantize(*grid);
}

Amplitude StoredWeights::amplitude(std::size_t task, std::size_t candidate, std::span<const float> weight) {
  Entry& kept = entry(task, candidate);
  const std::lock_guard lock(kept.mutex);
  if (!kept.amplitude) {
    kept.amplitude = std::make_shared<const Amplitude>(
        amplitude_of(experiment_.law, weight, experiment_.layer_of(experiment_.tasks[task]),
                     experiment_.tasks[task].candidates[candidate], experiment_.fit));
  }
  return *kept.amplitude;
}

}  // namespace mpq::perturb
