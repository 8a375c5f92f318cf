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
/// Throws Error{kUsage} when the text is no kind that an output of floating-point numbers can have.
OutputKind parse_output_kind(const std::string& text);

/// Looks at one sample's output: integer type -> labels; rows (last axis) that are non-negative and sum to 1 ->
/// probabilities; rows of 8 or more of unit length -> tensor (embeddings); all within [0, 1] -> sigmoid; [1, C] or [C]
/// with 2 <= C <= 30000 and not of unit length -> logits; else tensor.
/// One sample may look narrower than the output is; `refine` returns the kind that still holds after another.
OutputKind classify_output(const Tensor& reference);
OutputKind refine(OutputKind so_far, const Tensor& reference);

/// Any floating or integer tensor as doubles.
std::vector<double> to_doubles(const Tensor& tensor);

/// Kullback-Leibler divergence in nats of `changed` from `reference`, mean over rows (last axis): logits through
/// softmax; probabilities of both clipped at 1e-9 and normalised, so that the result is never negative and 0 for equal
/// rows; sigmoid outputs as Bernoulli, clipped at 1e-7, mean over elements. NaN when an output holds NaN.
/// Throws Error{kInvalidInput} when the shapes differ.
double kl_divergence(OutputKind kind, const Tensor& reference, const Tensor& changed);

/// Logits and probabilities: the mean over rows (last axis) of 1 - sum p^2 for p = softmax(logits / temperature), where
/// probabilities are logits log p, clipped at 1e-37. 1 - 1/columns for rows that say nothing, 0 for certain ones; 0 for
/// other kinds and for values that are not finite.
double row_spread(OutputKind kind, const Tensor& reference, double temperature);

/// Sum of squares of y, and of y - y'. Where y is not finite it counts nothing and y' must be the same there;
/// any other number that is not finite makes the error infinite. Throws Error{kInvalidInput} when the shapes differ.
double energy(const Tensor& reference);
double squared_error(const Tensor& reference, const Tensor& changed);

/// The damage of one sample in the metric "kl", "mse", "relative_l2", "sqnr" or "cosine" ("auto" must be resolved
/// first).
///   mse:         |y - y'|^2 / reference_energy, where reference_energy is the mean |y|^2 over the samples
///   relative_l2: |y - y'| / |y|;   sqnr: |y - y'|^2 / |y|^2 (of this sample);   cosine: 1 - cos(y, y')
///   kl:          kl_divergence for outputs that have one, mse for the others
/// All are >= 0, and 0 only for equal outputs (up to rounding). At most kDestroyed, which also stands for a result that
/// is not finite and for an output of another shape. Throws Error{kUsage} for an unknown metric.
double sample_damage(const std::string& metric, OutputKind kind, const Tensor& reference, const Tensor& changed,
                     double reference_energy);

/// Finite stand-in for "the output is no number any more", larger than any sensible damage.
inline constexpr double kDestroyed = 1e6;

/// "kl" when any output has a distribution (logits, probabilities, sigmoid), else "mse".
std::string resolve_metric(const std::string& metric, const std::vector<OutputKind>& kinds);

}  // namespace mpq
