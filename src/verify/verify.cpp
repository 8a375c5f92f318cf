#include "mpq/verify.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <optional>

#include "mpq/error.h"

#include "runtime/outputs.h"
#include "runtime/session.h"
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
  Comparison(const Model& reference, const Model& quantized, const Samples& samples, const VerifyOptions& options,
             Observer& observer)
      : samples_(samples),
        observer_(observer),
        threads_(resolve_threads(options.threads)),
        reference_(reference),
        quantized_(quantized),
        pairs_(judge::match_outputs(reference_.outputs(), quantized_.outputs())),
        weights_(pairs_.size(), 0) {
    for (const OutputPair& pair : pairs_) {
      reference_names_.push_back(pair.reference);
      quantized_names_.push_back(pair.quantized);
    }
    pass_ = judge::run_reference(reference_, reference_names_, samples_, threads_);
    for (const runtime::MeasuredOutput& output :
         runtime::measured_outputs(reference_.outputs(), options.outputs_glob, options.output_roles)) {
      take_role(output);
    }
    metric_ = resolve_metric(options.metric, measured_kinds());
  }

  Verification run(const std::vector<std::int64_t>& labels) {
    const std::optional<std::size_t> classifier = labels.empty() ? std::nullopt : find_classifier();
    std::vector<SampleResult> results(samples_.size());
    std::atomic<std::size_t> done = 0;
    parallel_for(samples_.size(), threads_, [&](std::size_t i, int) {
      if (observer_.cancelled()) throw Error(ErrorCode::kInterrupted, "The comparison was interrupted.");
      results[i] = compare_sample(i, classifier);
      observer_.progress("verify", static_cast<double>(++done), static_cast<double>(samples_.size()), "");
    });
    Verification verification = summarize(results);
    if (classifier) verification.accuracy = accuracy(results, labels, *classifier);
    return verification;
  }

 private:
  void take_role(const runtime::MeasuredOutput& output) {
    const auto name = std::find(reference_names_.begin(), reference_names_.end(), output.name);
    const auto o = static_cast<std::size_t>(name - reference_names_.begin());
    weights_[o] = output.weight;
    pass_.kinds[o] = output.kind.value_or(pass_.kinds[o]);
  }

  bool is_measured(std::size_t output) const { return weights_[output] > 0; }

  std::vector<OutputKind> measured_kinds() const {
    std::vector<OutputKind> kinds;
    for (std::size_t o = 0; o < pairs_.size(); ++o) {
      if (is_measured(o)) kinds.push_back(pass_.kinds[o]);
    }
    return kinds;
  }

  std::vector<Tensor> reference_outputs(std::size_t sample) const {
    return pass_.outputs.empty() ? reference_.run(samples_[sample], reference_names_) : pass_.outputs[sample];
  }

  /// The first output that names one class for the first sample.
  std::optional<std::size_t> find_classifier() const {
    const std::vector<Tensor> outputs = reference_outputs(0);
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      if (judge::predicted_class(pass_.kinds[o], outputs[o]) >= 0) return o;
    }
    throw Error(ErrorCode::kInvalidInput,
                "Labels were given, but no output of the model names one class per sample: that takes one row of "
                "scores [1, C], one probability [1, 1] or one label.",
                "--labels", "Leave the labels out, or verify the part of the model that classifies.");
  }

  void check_shapes(std::size_t output, const Tensor& reference, const Tensor& quantized) const {
    if (reference.shape().size() == quantized.shape().size()) return;
    throw Error(ErrorCode::kInvalidInput,
                "The output \"" + reference_names_[output] + "\" has " + std::to_string(reference.shape().size()) +
                    " axes in the reference and " + std::to_string(quantized.shape().size()) +
                    " in the quantized model.",
                reference_names_[output], "Compare a model with one made from it.");
  }

  SampleResult compare_sample(std::size_t sample, std::optional<std::size_t> classifier) const {
    const std::vector<Tensor> before = reference_outputs(sample);
    const std::vector<Tensor> after = quantized_.run(samples_[sample], quantized_names_);
    SampleResult result;
    for (std::size_t o = 0; o < pairs_.size(); ++o) {
      check_shapes(o, before[o], after[o]);
      result.figures.push_back(judge::compare(pass_.kinds[o], before[o], after[o]));
      if (!is_measured(o)) continue;
      result.damage +=
          weights_[o] * runtime::output_damage(metric_, pass_.kinds[o], before[o], after[o], pass_.energies[o]);
    }
    result.damage /= std::accumulate(weights_.begin(), weights_.end(), 0.0);
    if (classifier) {
      const std::size_t o = *classifier;
      result.prediction = {judge::predicted_class(pass_.kinds[o], before[o]),
                           judge::predicted_class(pass_.kinds[o], after[o]),
                           judge::class_count(pass_.kinds[o], before[o])};
    }
    return result;
  }

  Verification summarize(const std::vector<SampleResult>& results) const {
    Verification verification;
    verification.data = samples_.facts();
    verification.metric = metric_;
    for (std::size_t o = 0; o < pairs_.size(); ++o) {
      std::vector<Figures> figures;
      for (const SampleResult& result : results) figures.push_back(result.figures[o]);
      warn_of_lost(o, figures);
      verification.outputs.push_back(judge::summarize(reference_names_[o], pass_.kinds[o], figures));
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
  /// model.
  void warn_of_lost(std::size_t output, const std::vector<Figures>& figures) const {
    const auto lost = std::count_if(figures.begin(), figures.end(), [](const Figures& f) { return f.lost; });
    if (lost == 0) return;
    const std::string& name = reference_names_[output];
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
    return judge::compare_accuracy(predictions, labels, reference_names_[classifier]);
  }

  const Samples& samples_;
  Observer& observer_;
  int threads_;
  runtime::Session reference_, quantized_;
  std::vector<OutputPair> pairs_;
  std::vector<double> weights_;  ///< by output; 0 = not measured
  std::vector<std::string> reference_names_, quantized_names_;
  ReferencePass pass_;
  std::string metric_;
};

}  // namespace

Verification verify(const Model& reference, const Model& quantized, const Samples& samples,
                    const std::vector<std::int64_t>& labels, const VerifyOptions& options, Observer& observer) {
  options.validate();
  if (samples.size() == 0) {
    throw Error(ErrorCode::kInvalidInput, "There is no sample to compare the models on.", samples.facts().source);
  }
  if (!labels.empty() && labels.size() != samples.size()) {
    throw Error(
        ErrorCode::kInvalidInput,
        "There are " + std::to_string(labels.size()) + " labels for " + std::to_string(samples.size()) + " samples.",
        "--labels", "Give one label per evaluation sample.");
  }
  return Comparison(reference, quantized, samples, options, observer).run(labels);
}

}  // namespace mpq
