#include "verify/reference_pass.h"

#include <algorithm>

#include "runtime/outputs.h"
#include "support/parallel.h"
#include "support/text.h"

namespace mpq::judge {

namespace {

std::size_t bytes_of(const std::vector<Tensor>& outputs) {
  std::size_t bytes = 0;
  for (const Tensor& output : outputs) bytes += output.size_bytes();
  return bytes;
}

}  // namespace

ReferencePass::ReferencePass(const Model& model, const Samples& data, const VerifyOptions& options, Observer& observer)
    : samples(data),
      threads(resolve_threads(options.threads)),
      memory(graph::plan_memory(model, options.memory_limit_bytes)),
      constant_bytes(runtime::constant_bytes(model)),
      open(runtime::open_extents_in_force(model, options.outputs_glob, options.output_roles)),
      network(model, data, memory, threads, observer, open.settled) {
  for (const ValueInfo& output : network.outputs()) names.push_back(output.name);
  kinds.assign(names.size(), OutputKind::kTensor);
  energies.assign(names.size(), 0.0);
  weights.assign(names.size(), 0.0);
  run();
  for (const runtime::MeasuredOutput& output :
       runtime::measured_values(model, open, options.outputs_glob, options.output_roles)) {
    const auto o = static_cast<std::size_t>(std::find(names.begin(), names.end(), output.name) - names.begin());
    weights[o] = output.weight;
    kinds[o] = output.kind.value_or(kinds[o]);
  }
  metric = resolved_metric(options);
  tell_of_open_extents(observer);
}

void ReferencePass::tell_of_open_extents(Observer& observer) const {
  if (open.outputs.empty() || !is_measured(names.size() - 1)) return;  // settled values stand last
  std::vector<std::string> settled;
  for (const ValueInfo& value : open.settled) settled.push_back(value.name);
  observer.warn("The network itself decides the extents of \"" + join(open.outputs, "\", \"") +
                    "\"; damage is measured on \"" + join(settled, "\", \"") + "\" instead, which it decides by.",
                "Name outputs with --outputs to measure on them all the same.");
}

std::vector<Tensor> ReferencePass::outputs(std::size_t sample) const {
  return kept_.empty() ? network.run(sample, names) : kept_[sample];
}

void ReferencePass::look_at(const std::vector<Tensor>& values, bool first) {
  for (std::size_t o = 0; o < values.size(); ++o) {
    energies[o] += energy(values[o]);
    if (values[o].size() == 0) continue;
    kinds[o] = first ? classify_output(values[o]) : refine(kinds[o], values[o]);
  }
}

void ReferencePass::run() {
  constexpr std::size_t kAtOnce = 8;  // samples whose outputs are held before they are looked at
  // Outputs kept for the comparison; in pieces the samples' activations are kept already.
  const std::size_t kept_bytes = memory.pieces ? 0 : std::size_t{512} << 20;
  bool keep = true;
  std::size_t bytes = 0;
  for (std::size_t begin = 0; begin < samples.size(); begin += kAtOnce) {
    std::vector<std::vector<Tensor>> part(std::min(kAtOnce, samples.size() - begin));
    parallel_for(part.size(), threads, [&](std::size_t i, int) { part[i] = network.run(begin + i, names); });
    for (std::size_t i = 0; i < part.size(); ++i) {
      look_at(part[i], begin + i == 0);
      bytes += bytes_of(part[i]);
      keep = keep && bytes <= kept_bytes;
      if (keep) kept_.push_back(std::move(part[i]));
    }
  }
  if (!keep) kept_.clear();
  for (double& sum : energies) sum = sum > 0 ? sum / static_cast<double>(samples.size()) : 1.0;
}

std::string ReferencePass::resolved_metric(const VerifyOptions& options) const {
  std::vector<OutputKind> measured;
  for (std::size_t o = 0; o < names.size(); ++o) {
    if (is_measured(o)) measured.push_back(kinds[o]);
  }
  return resolve_metric(options.metric, measured);
}

}  // namespace mpq::judge
