#include "analyze/checkpoint.h"

#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "runtime/session.h"
#include "support/hash.h"

namespace mpq::perturb {

namespace {

constexpr const char* kMagic = "mpq-analysis-checkpoint-1";

std::string hex_float(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%a", value);
  return text;
}

std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  }
  return text;
}

/// task first count runs candidates d d d ... <tab> failure <tab> remark
std::string to_line(std::size_t task, TrialRange range, const ItemResult& result) {
  std::ostringstream line;
  line << task << ' ' << range.first << ' ' << range.count << ' ' << result.runs << ' ' << result.damages.size();
  for (const auto& row : result.damages) {
    for (const double damage : row) line << ' ' << hex_float(damage);
  }
  line << '\t' << one_line(result.failure) << '\t' << one_line(result.remark);
  return line.str();
}

struct Piece {
  std::size_t task = 0;
  TrialRange range;
  ItemResult result;
};

std::optional<Piece> from_line(const std::string& line) {
  const std::size_t first_tab = line.find('\t');
  const std::size_t second_tab = first_tab == std::string::npos ? first_tab : line.find('\t', first_tab + 1);
  if (second_tab == std::string::npos) return std::nullopt;
  std::istringstream numbers(line.substr(0, first_tab));
  Piece piece;
  std::size_t candidates = 0;
  numbers >> piece.task >> piece.range.first >> piece.range.count >> piece.result.runs >> candidates;
  for (std::size_t c = 0; c < candidates && numbers; ++c) {
    auto& row = piece.result.damages.emplace_back();
    for (std::size_t k = 0; k < piece.range.count && numbers; ++k) {
      std::string word;  // streams do not read hexadecimal floats
      numbers >> word;
      char* end = nullptr;
      row.push_back(std::strtod(word.c_str(), &end));
      if (word.empty() || *end != '\0') return std::nullopt;
    }
  }
  if (!numbers) return std::nullopt;
  piece.result.failure = line.substr(first_tab + 1, second_tab - first_tab - 1);
  piece.result.remark = line.substr(second_tab + 1);
  return piece;
}

}  // namespace

std::string checkpoint_key(const Experiment& experiment) {
  const AnalyzeOptions& options = experiment.options;
  Sha256 hash;
  const auto add = [&](const std::string& part) { hash.update(std::to_string(part.size()) + ":" + part + ";"); };
  add(runtime::runtime_version());
  add(experiment.model.facts().sha256);
  add(experiment.samples.facts().sha256);
  add(std::to_string(experiment.samples.size()));
  for (const std::string& part :
       {options.engine, options.noise, options.place, options.metric, options.scale_fit, options.outputs_glob})
    add(part);
  for (const OutputRole& role : options.output_roles) add(role.origin);
  for (const std::int64_t number :
       {std::int64_t{options.trials}, std::int64_t{options.max_trials}, std::int64_t{options.antithetic},
        std::int64_t{options.full_reruns}, std::int64_t{options.probes}, options.activation_memory_bytes}) {
    add(std::to_string(number));
  }
  add(std::to_string(options.seed));
  if (options.shard) add(to_string(*options.shard));
  for (const Task& task : experiment.tasks) {
    add(experiment.layer_of(task).name);
    for (const Candidate& candidate : task.candidates) add(to_string(candidate));
  }
  return hash.hex();
}

Checkpoint::Checkpoint(std::string path, const std::string& key)
    : journal_(std::move(path), kMagic, key, [this](const std::string& line) { return take(line); }) {}

bool Checkpoint::take(const std::string& line) {
  std::optional<Piece> piece = from_line(line);
  if (piece)
    pieces_.insert_or_assign({piece->task, {piece->range.first, piece->range.count}}, std::move(piece->result));
  return piece.has_value();
}

std::optional<ItemResult> Checkpoint::find(std::size_t task, TrialRange range) const {
  const auto found = pieces_.find({task, {range.first, range.count}});
  return found == pieces_.end() ? std::nullopt : std::optional(found->second);
}

void Checkpoint::append(std::size_t task, TrialRange range, const ItemResult& result) {
  journal_.append(to_line(task, range, result));
}

}  // namespace mpq::perturb
