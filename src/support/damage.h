#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mpq/tensor.h"

namespace mpq {

/// What the numbers of an output mean; decides which figures make sense. Told from values and shape, never from names.
enum class OutputKind { kLogits, kProbabilities, kSigmoid, kTensor, kLabels };
const char* to_string(OutputKind kind);

/// Looks at one sample's output: integer type -> labels; rows that are non-negative and sum to 1 -> probabilities;
/// all within [0, 1] -> sigmoid; [1, C] (or [C]) with 2 <= C <= 30000 and not of unit length -> logits; else tensor.
/// Feed it several samples by AND-ing: `refine` returns the kind that still holds.
OutputKind classify_output(const Tensor& reference);
OutputKind refine(OutputKind so_far, const Tensor& reference);

/// Any floating or integer tensor as doubles.
std::vector<double> to_doubles(const Tensor& tensor);

/// Kullback-Leibler divergence in nats, mean over rows (last axis), of `changed` from `reference`:
/// logits through softmax, probabilities clipped at 1e-9, sigmoid outputs as Bernoulli per element.
double kl_divergence(OutputKind kind, const Tensor& reference, const Tensor& changed);

/// Sum of squares of y, and of y - y'.
double energy(const Tensor& reference);
double squared_error(const Tensor& reference, const Tensor& changed);

/// The damage of one sample in the metric "kl", "mse", "relative_l2", "sqnr" or "cosine" ("auto" must be resolved first).
///   mse:         |y - y'|^2 / reference_energy, where reference_energy is the mean |y|^2 over the samples
///   relative_l2: |y - y'| / |y|;   sqnr: |y - y'|^2 / |y|^2 (of this sample);   cosine: 1 - cos(y, y')
///   kl:          kl_divergence for outputs that have one, mse for the others
/// All are >= 0, and 0 only for equal outputs (up to rounding). A non-finite result becomes kDestroyed.
double sample_damage(const std::string& metric, OutputKind kind, const Tensor& reference, const Tensor& changed,
                     double reference_energy);

/// Finite stand-in for "the output is no number any more", larger than any sensible damage.
inline constexpr double kDestroyed = 1e6;

/// "kl" when any output has a distribution (logits, probabilities, sigmoid), else "mse".
std::string resolve_metric(const std::string& metric, const std::vector<OutputKind>& kinds);

}  // namespace mpq
