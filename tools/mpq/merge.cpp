#include <string>
#include <vector>

#include <fmt/format.h>

#include "mpq/analyze.h"

#include "commands.h"
#include "outputs.h"
#include "session.h"

namespace mpq::cli {
namespace {

/// "a.onnx.sensitivity.json" of "a.onnx.2-of-4.sensitivity.json"; a name without its part keeps it all.
std::string default_output(const std::string& path, Shard shard) {
  const std::string tag = fmt::format(".{}-of-{}.", shard.part, shard.parts);
  const std::size_t found = path.rfind(tag);
  if (found == std::string::npos) return path + ".merged.sensitivity.json";
  return path.substr(0, found + 1) + path.substr(found + tag.size());
}

Sensitivity read_part(const std::string& path) {
  const AnyRecord record = read_record(path);
  if (const auto* scores = std::get_if<Sensitivity>(&record)) return *scores;
  throw Error(ErrorCode::kInvalidInput, "The record is no part of an analysis.", path,
              "Give what `mpq analyze --shard K/N` wrote.");
}

}  // namespace

int run_merge(const Settings& settings, Console& console) {
  std::vector<Sensitivity> parts;
  for (const std::string& path : settings.positionals) parts.push_back(read_part(path));
  const Sensitivity scores = merge_parts(parts);
  const Shard first = parts.front().shard.value_or(Shard{});
  const std::string output = output_path(settings.output, default_output(settings.positionals[0], first));
  std::vector<std::string> inputs = settings.positionals;
  inputs.push_back(settings.config);
  if (output != "-") check_outputs({output}, inputs, settings.force);
  deliver(scores, scores, output, settings, console);
  return 0;
}

}  // namespace mpq::cli
