#include "verify/reference_pass.h"

#include <algorithm>

#include "support/parallel.h"

namespace mpq::judge {

namespace {

constexpr std::size_t kAtOnce = 8;                          // samples whose outputs are held before they are looked at
constexpr std::size_t kKeptBytes = std::size_t{512} << 20;  // of outputs kept for the comparison

void look_at(const std::vector<Tensor>& outputs, bool first, ReferencePass& pass) {
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    pass.energies[o] += energy(outputs[o]);
    if (outputs[o].size() == 0) continue;
    pass.kinds[o] = first ? classify_output(outputs[o]) : refine(pass.kinds[o], outputs[o]);
  }
}

std::size_t bytes_of(const std::vector<Tensor>& outputs) {
  std::size_t bytes = 0;
  for (const Tensor& output : outputs) bytes += output.size_bytes();
  return bytes;
}

}  // namespace

ReferencePass run_reference(const runtime::Session& session, const std::vector<std::string>& outputs,
                            const Samples& samples, int threads) {
  ReferencePass pass;
  pass.kinds.assign(outputs.size(), OutputKind::kTensor);
  pass.energies.assign(outputs.size(), 0.0);
  bool keep = true;
  std::size_t kept = 0;
  for (std::size_t begin = 0; begin < samples.size(); begin += kAtOnce) {
    std::vector<std::vector<Tensor>> part(std::min(kAtOnce, samples.size() - begin));
    parallel_for(part.size(), threads, [&](std::size_t i, int) { part[i] = session.run(samples[begin + i], outputs); });
    for (std::size_t i = 0; i < part.size(); ++i) {
      look_at(part[i], begin + i == 0, pass);
      kept += bytes_of(part[i]);
      keep = keep && kept <= kKeptBytes;
      if (keep) pass.outputs.push_back(std::move(part[i]));
    }
  }
  if (!keep) pass.outputs.clear();
  for (double& sum : pass.energies) sum = sum > 0 ? sum / static_cast<double>(samples.size()) : 1.0;
  return pass;
}

}  // namespace mpq::judge
