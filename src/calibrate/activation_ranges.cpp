#include "calibrate/activation_ranges.h"

#include <algorithm>

#include "mpq/error.h"

#include "runtime/activations.h"
#include "support/parallel.h"

namespace mpq::calibrate {

std::map<std::string, ActivationStatistics> activation_statistics(const graph::RunForm& form,
                                                                  const std::vector<std::string>& values,
                                                                  const Samples& samples, int threads,
                                                                  Observer& observer) {
  constexpr std::size_t kAtOnce = 128;
  std::map<std::string, ActivationStatistics> result;
  for (std::size_t first = 0; first < values.size(); first += kAtOnce) {
    const std::size_t count = std::min(kAtOnce, values.size() - first);
    const std::vector<std::string> names(values.begin() + static_cast<std::ptrdiff_t>(first),
                                         values.begin() + static_cast<std::ptrdiff_t>(first + count));
    std::vector<ActivationStatistics> slots(count);
    const runtime::Activations activations(form, names);
    for (std::size_t s = 0; s < samples.size(); ++s) {
      if (observer.cancelled()) throw Error(ErrorCode::kInterrupted, "Interrupted while activations were measured.");
      observer.progress("activations", static_cast<double>(first * samples.size() + s * count),
                        static_cast<double>(values.size() * samples.size()), names[0]);
      const Feed feed = activations.of(samples[s]);
      parallel_for(count, threads, [&](std::size_t i, int) {
        const auto found = feed.find(names[i]);
        if (found == feed.end()) return;
        slots[i].elements = std::max(slots[i].elements, found->second.size());
        slots[i].floats = slots[i].floats && found->second.type() == DType::kFloat32;
        if (slots[i].floats) slots[i].histogram.add(found->second.as<float>());
      });
    }
    for (std::size_t i = 0; i < count; ++i) result.emplace(names[i], std::move(slots[i]));
  }
  return result;
}

}  // namespace mpq::calibrate
