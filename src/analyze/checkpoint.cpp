#include "analyze/checkpoint.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "mpq/error.h"

#include "runtime/session.h"
#include "support/hash.h"

namespace mpq::perturb {

namespace {

constexpr const char* kMagic = "mpq-analysis-checkpoint-1 ";

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
  line << '\t' << one_line(result.failure) << '\t' << one_line(result.remark) << '\n';
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

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ErrorCode::kOutput, "The checkpoint cannot be written: " + what + ".", path,
              "Choose a folder that can be written, or run without a checkpoint.");
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
  for (const Task& task : experiment.tasks) {
    add(experiment.layer_of(task).name);
    for (const Candidate& candidate : task.candidates) add(to_string(candidate));
  }
  return hash.hex();
}

Checkpoint::Checkpoint(std::string path, const std::string& key) : path_(std::move(path)) {
  if (path_.empty()) return;
  const std::string header = kMagic + key + "\n";
  const std::size_t valid = load(header);
  if (valid > 0) {
    // Cut off what was not written to its end, so that new lines do not join it.
    std::error_code ignored;
    std::filesystem::resize_file(path_, valid, ignored);
    if (ignored) fail(path_, ignored.message());
  }
  file_ = std::fopen(path_.c_str(), valid > 0 ? "ab" : "wb");
  if (file_ == nullptr) fail(path_, std::strerror(errno));
  if (valid == 0 && (std::fputs(header.c_str(), file_) < 0 || std::fflush(file_) != 0))
    fail(path_, std::strerror(errno));
}

Checkpoint::~Checkpoint() {
  if (file_ != nullptr) std::fclose(file_);
}

/// Returns how many bytes of the file are valid; 0 when it is none of ours.
std::size_t Checkpoint::load(const std::string& header) {
  std::ifstream in(path_, std::ios::binary);
  if (!in) return 0;
  std::ostringstream content;
  content << in.rdbuf();
  const std::string text = content.str();
  if (!text.empty() && text.compare(0, std::strlen(kMagic), kMagic) != 0) {
    fail(path_, "the file exists and is no checkpoint of mpq");
  }
  if (text.compare(0, header.size(), header) != 0) return 0;
  std::size_t begin = header.size();
  for (std::size_t end = text.find('\n', begin); end != std::string::npos; end = text.find('\n', begin)) {
    std::optional<Piece> piece = from_line(text.substr(begin, end - begin));
    if (!piece) break;
    pieces_.insert_or_assign({piece->task, {piece->range.first, piece->range.count}}, std::move(piece->result));
    begin = end + 1;
  }
  return begin;
}

std::optional<ItemResult> Checkpoint::find(std::size_t task, TrialRange range) const {
  const auto found = pieces_.find({task, {range.first, range.count}});
  return found == pieces_.end() ? std::nullopt : std::optional(found->second);
}

void Checkpoint::append(std::size_t task, TrialRange range, const ItemResult& result) {
  if (file_ == nullptr) return;
  const std::string line = to_line(task, range, result);
  const std::lock_guard lock(mutex_);
  if (std::fputs(line.c_str(), file_) < 0 || std::fflush(file_) != 0) fail(path_, std::strerror(errno));
}

void Checkpoint::remove() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  file_ = nullptr;
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace mpq::perturb
