#include "analyze/adjoint_heads.h"

#include <algorithm>
#include <cmath>

#include "mpq/error.h"

#include "support/random.h"

namespace mpq::perturb {

namespace {

using graph::adjoint::Head;

Head::Kind kind_of(const Reference& reference, const std::string& output) {
  if (reference.metric != "kl") return Head::Kind::kDirect;
  switch (reference.targets.at(output).kind) {
    case OutputKind::kLogits:
      return Head::Kind::kLogits;
    case OutputKind::kProbabilities:
      return Head::Kind::kProbabilities;
    case OutputKind::kSigmoid:
      return Head::Kind::kSigmoid;
    default:
      return Head::Kind::kDirect;
  }
}

/// |dy|^2 / energy; 2 KL summed over rows, of which the metric takes half the mean; the same over elements. The
/// metric is the weighted mean over the outputs, so their squares share the sum.
double scale_of(const Experiment& experiment, const Reference& reference, const Head& head,
                const std::vector<std::int64_t>& shape) {
  double weights = 0;
  for (const std::string& output : experiment.outputs) weights += reference.targets.at(output).weight;
  const double outputs = weights / reference.targets.at(head.value).weight;
  const auto elements = static_cast<double>(std::max<std::int64_t>(element_count(shape), 1));
  switch (head.kind) {
    case Head::Kind::kDirect:
      return 1 / std::sqrt(reference.targets.at(head.value).energy * outputs);
    case Head::Kind::kSigmoid:
      return 1 / std::sqrt(2 * elements * outputs);
    default: {
      const double columns = shape.empty() ? 1 : static_cast<double>(std::max<std::int64_t>(shape.back(), 1));
      return 1 / std::sqrt(2 * elements / columns * outputs);
    }
  }
}

/// Where the outputs are all but certain the Fisher matrix at the point tells little of what changes of finite size do:
/// the probes see these rows softened then, at the same mean energy.
Head head_of(const Reference& reference, const std::string& output) {
  Head head{output, kind_of(reference, output)};
  const Target& target = reference.targets.at(output);
  const bool rows = head.kind == Head::Kind::kLogits || head.kind == Head::Kind::kProbabilities;
  if (rows && target.is_peaked()) {
    head.temperature = kSoftTemperature;
    head.level = std::sqrt(target.spread / target.soft_spread);
  }
  return head;
}

}  // namespace

std::vector<Head> heads_of(const Experiment& experiment, const Reference& reference) {
  if (reference.metric != "kl" && reference.metric != "mse") {
    throw Error(ErrorCode::kUsage,
                "The adjoint prices the metrics kl and mse; \"" + reference.metric + "\" is neither.", "--metric",
                "Use --engine rounding with it.");
  }
  std::vector<Head> heads;
  for (const std::string& output : experiment.outputs) heads.push_back(head_of(reference, output));
  return heads;
}

Tensor draw_probes(const Experiment& experiment, const Reference& reference, const Head& head, std::size_t trial,
                   const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> full{experiment.options.probes};
  full.insert(full.end(), shape.begin(), shape.end());
  Tensor probes(DType::kFloat32, full);
  const std::uint64_t seed = mix_key(mix_key(experiment.options.seed, "probe"), head.value);
  const std::uint64_t key = mix_key(seed, static_cast<std::uint64_t>(experiment.sample_of(trial)));
  const auto numbers = probes.as_mutable<float>();
  const std::size_t each = numbers.size() / static_cast<std::size_t>(experiment.options.probes);
  const auto scale = static_cast<float>(scale_of(experiment, reference, head, shape));
  for (std::size_t r = 0; r * each < numbers.size() && each > 0; ++r) {
    fill_rademacher(Philox(key, r), numbers.subspan(r * each, each));
  }
  for (float& number : numbers) number *= scale;
  return probes;
}

}  // namespace mpq::perturb
