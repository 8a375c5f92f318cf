#include "runtime/taken_branches.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/run_index.h"
#include "graph/take_branches.h"
#include "runtime/activations.h"

namespace mpq::runtime {

namespace {

std::optional<bool> truth(const Feed& values, const std::string& name) {
  const auto found = values.find(name);
  if (found == values.end() || found->second.type() != DType::kBool || found->second.size() != 1) return std::nullopt;
  return found->second.as<bool>()[0];
}

/// Conditions that are the same on every sample.
std::map<std::string, bool> settled(const graph::RunForm& form, const std::vector<std::string>& names,
                                    const Samples& samples) {
  std::vector<std::string> known;
  for (const std::string& name : names) {
    const int number = form.index->find(name);
    if (number < 0) continue;
    const auto& value = form.index->value(number);
    if (value.producer >= 0 || value.input >= 0) known.push_back(name);
  }
  const Activations conditions(form, known);
  std::map<std::string, std::optional<bool>> seen;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Feed values = conditions.of(samples[i]);
    for (const std::string& name : known) {
      const std::optional<bool> now = truth(values, name);
      const auto before = seen.emplace(name, now).first;
      if (before->second != now) before->second = std::nullopt;
    }
  }
  std::map<std::string, bool> result;
  for (const auto& [name, value] : seen) {
    if (value) result.emplace(name, *value);
  }
  return result;
}

}  // namespace

graph::RunForm taken_branches(const graph::RunForm& form, const Samples& samples) {
  constexpr int kDeepest = 16;
  graph::RunForm result = form;
  for (int depth = 0; depth < kDeepest; ++depth) {
    const std::vector<std::string> names = graph::branch_conditions(result);
    if (names.empty()) break;
    const std::map<std::string, bool> conditions = settled(result, names, samples);
    if (conditions.empty()) break;
    result = graph::with_branches_taken(result, conditions);
  }
  return result;
}

}  // namespace mpq::runtime
