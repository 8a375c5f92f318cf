#include "mpq/verify.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <optional>

#include "mpq/error.h"

#include "runtime/outputs.h"
#include "runtime/sampled_network.h"
#include "support/parallel.h"
#include "support/statistics.h"
#include "verify/accuracy.h"
#include "verify/figures.h"
#include "verify/pairs.h"
#include "verify/reference_pass.h"

// Both models on every sample: the reference first, to learn what its outputs are, then the comparison.

namespace mpq {

namespace {

using judge::Figures;
using judge::OutputPair;
using judge::Prediction;
using judge::ReferencePass;

/// What the comparison of one sample leaves behind.
struct SampleResult {
  std::vector<Figures> figures;  ///< by output
  double damage = 0;
  Prediction prediction;
};

class Comparison {
 public:
  Comparison(const ReferencePass& reference, const Model& quantized, Observer& observer)
      : reference_(reference),
        observer_(observer),
        settled_(judge::known_values(quantized, reference.open.settled)),
        quantized_(quantized, reference.samples, reference.memory, reference.threads, observer, settled_,
                   reference.constant_bytes) {
    pair_up();
  }

  Verification run(const std::vector<std::int64_t>& labels) {
    const std::optional<std::size_t> classifier = labels.empty() ? std::nullopt : find_classifier();
    std::vector<SampleResult> results(reference_.samples.size());
    std::atomic<std::size_t> done = 0;
    parallel_for(reference_.samples.size(), reference_.threads, [&](std::size_t i, int) {
      if (observer_.cancelled()) throw Error(ErrorCode::kInterrupted, "The comparison was interrupted.");
      results[i] = compare_sample(i, classifier);
      observer_.progress("verify", static_cast<double>(++done), static_cast<double>(reference_.samples.size()), "");
    });
    Verification verification = summarize(results);
    if (classifier) verification.accuracy = accuracy(results, labels, *classifier);
    return verification;
  }

 private:
  /// The first output that names one class for the first sample.
  std::optional<std::size_t> find_classifier() const {
    const std::vector<Tensor> outputs = reference_.outputs(0);
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      if (judge::predicted_class(reference_.kinds[o], outputs[o]) >= 0) return o;
    }
    throw Error(ErrorCode::kInvalidInput,
                "Labels were given, but no output of the model names one class per sample: that takes one row of "
                "scores [1, C], one probability [1, 1] or one label.",
                "--labels", "Leave the labels out, or verify the part of the model that classifies.");
  }

  void check_shapes(std::size_t output, const Tensor& reference, const Tensor& quantized) const {
    if (reference.shape().size() == quantized.shape().size()) return;
    throw Error(ErrorCode::kInvalidInput,
                "The output \"" + reference_.names[output] + "\" has " + std::to_string(reference.shape().size()) +
                    " axes in the reference and " + std::to_string(quantized.shape().size()) +
                    " in the quantized model.",
                reference_.names[output], "Compare a model with one made from it.");
  }

  void pair_up() {
    const std::vector<ValueInfo>& before = reference_.network.outputs();
    const std::vector<ValueInfo>& after = quantized_.outputs();
    const auto own = [](const std::vector<ValueInfo>& outputs, std::size_t settled) {
      return std::vector<ValueInfo>(outputs.begin(), outputs.end() - static_cast<std::ptrdiff_t>(settled));
    };
    for (const OutputPair& pair :
         judge::match_outputs(own(before, reference_.open.settled.size()), own(after, settled_.size()))) {
      quantized_names_.push_back(pair.quantized);
      compared_.push_back(compared_.size());
    }
    for (const ValueInfo& value : settled_) {
      const auto known = std::find(reference_.names.begin(), reference_.names.end(), value.name);
      quantized_names_.push_back(value.name);
      compared_.push_back(static_cast<std::size_t>(known - reference_.names.begin()));
    }
    for (const std::size_t o : compared_) weights_.push_back(reference_.weights[o]);
    // Where writing left none of the values that should tell the damage, the outputs have to.
    if (std::all_of(weights_.begin(), weights_.end(), [](double weight) { return weight == 0; }))
      weights_.assign(weights_.size(), 1);
  }

  SampleResult compare_sample(std::size_t sample, std::optional<std::size_t> classifier) const {
    const std::vector<Tensor> before = reference_.outputs(sample);
    const std::vector<Tensor> after = quantized_.run(sample, quantized_names_);
    SampleResult result;
    for (std::size_t p = 0; p < compared_.size(); ++p) {
      const std::size_t o = compared_[p];
      check_shapes(o, before[o], after[p]);
      result.figures.push_back(judge::compare(reference_.kinds[o], before[o], after[p]));
      if (weights_[p] == 0) continue;
      result.damage += weights_[p] * runtime::output_damage(reference_.metric, reference_.kinds[o], before[o], after[p],
                                                            reference_.energies[o]);
    }
    result.damage /= std::accumulate(weights_.begin(), weights_.end(), 0.0);
    if (classifier) {
      const std::size_t o = *classifier;  // an output, and these are paired in order
      result.prediction = {judge::predicted_class(reference_.kinds[o], before[o]),
                           judge::predicted_class(reference_.kinds[o], after[o]),
                           judge::class_count(reference_.kinds[o], before[o])};
    }
    return result;
  }

  Verification summarize(const std::vector<SampleResult>& results) const {
    Verification verification;
    verification.data = reference_.samples.facts();
    verification.metric = reference_.metric;
    for (std::size_t p = 0; p < compared_.size(); ++p) {
      const std::size_t o = compared_[p];
      std::vector<Figures> figures;
      for (const SampleResult& result : results) figures.push_back(result.figures[p]);
      warn_of_lost(p, figures);
      verification.outputs.push_back(judge::summarize(reference_.names[o], reference_.kinds[o], figures));
    }
    std::vector<double> damages;
    for (const SampleResult& result : results) damages.push_back(result.damage);
    const MeanError damage = mean_and_error(damages);
    verification.damage = damage.mean;
    // One sample tells nothing about the spread: the error is then put at the damage itself.
    verification.damage_standard_error = damages.size() == 1 ? damage.mean : damage.standard_error;
    return verification;
  }

  /// Extents that depend on the data may differ on some samples; if they do on all, these are not two forms of one
  /// model. Where other values tell the damage nothing is lost.
  void warn_of_lost(std::size_t pair, const std::vector<Figures>& figures) const {
    const auto lost = std::count_if(figures.begin(), figures.end(), [](const Figures& f) { return f.lost; });
    if (lost == 0 || weights_[pair] == 0) return;
    const std::string& name = reference_.names[compared_[pair]];
    if (static_cast<std::size_t>(lost) == figures.size()) {
      throw Error(ErrorCode::kInvalidInput,
                  "The output \"" + name + "\" has other extents in the quantized model on every sample.", name,
                  "Compare a model with one made from it.");
    }
    observer_.warn("The output \"" + name + "\" has other extents in the quantized model on " + std::to_string(lost) +
                       " of " + std::to_string(figures.size()) + " samples; they count as lost.",
                   "");
  }

  AccuracyComparison accuracy(const std::vector<SampleResult>& results, const std::vector<std::int64_t>& labels,
                              std::size_t classifier) const {
    std::vector<Prediction> predictions;
    for (const SampleResult& result : results) predictions.push_back(result.prediction);
    return judge::compare_accuracy(predictions, labels, reference_.names[classifier]);
  }

  const ReferencePass& reference_;
  Observer& observer_;
  std::vector<ValueInfo> settled_;  ///< those of the reference's settled values that the other model has too
  runtime::SampledNetwork quantized_;
  std::vector<std::size_t> compared_;         ///< positions in the reference's names: its outputs, then settled values
  std::vector<std::string> quantized_names_;  ///< parallel to compared_, as is the next
  std::vector<double> weights_;               ///< 0 = not measured
};

void require_fitting(const std::vector<std::int64_t>& labels, const Samples& samples) {
  if (labels.empty() || labels.size() == samples.size()) return;
  throw Error(
      ErrorCode::kInvalidInput,
      "There are " + std::to_string(labels.size()) + " labels for " + std::to_string(samples.size()) + " samples.",
      "--labels", "Give one label per evaluation sample.");
}

}  // namespace

Verifier::Verifier(const Model& reference, const Samples& samples, const VerifyOptions& options, Observer& observer) {
  options.validate();
  if (samples.size() == 0) {
    throw Error(ErrorCode::kInvalidInput, "There is no sample to compare the models on.", samples.facts().source);
  }
  reference_ = std::make_unique<const ReferencePass>(reference, samples, options, observer);
}

Verifier::~Verifier() = default;

Verification Verifier::verify(const Model& quantized, const std::vector<std::int64_t>& labels,
                              Observer& observer) const {
  require_fitting(labels, reference_->samples);
  return Comparison(*reference_, quantized, observer).run(labels);
}

Verification verify(const Model& reference, const Model& quantized, const Samples& samples,
                    const std::vector<std::int64_t>& labels, const VerifyOptions& options, Observer& observer) {
  require_fitting(labels, samples);
  return Verifier(reference, samples, options, observer).verify(quantized, labels, observer);
}

}  // namespace mpq
