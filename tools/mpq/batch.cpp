#include "batch.h"

#include <chrono>
#include <exception>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "commands.h"
#include "config.h"
#include "json_writer.h"
#include "outputs.h"
#include "suggest.h"

namespace mpq::cli {
namespace {

namespace fs = std::filesystem;

std::string stem_of(const std::string& model) { return fs::path(without_onnx_extension(model)).filename().string(); }

void check_batch(const Settings& settings) {
  const auto conflict = [](bool found, const char* what, const char* where, const char* hint) {
    if (found) throw Error(ErrorCode::kUsage, what, where, hint);
  };
  const bool several = settings.positionals.size() > 1;
  conflict(!settings.output.empty() && !settings.output_dir.empty(), "Both name a place to write to.", "--output-dir",
           "Leave -o out.");
  conflict(several && !settings.output.empty(), "One output cannot hold several models.", "-o",
           "Name a folder with --output-dir.");
  conflict(several && (!settings.scores.empty() || !settings.plan.empty()),
           "A plan or an analysis belongs to one model.", settings.plan.empty() ? "--scores" : "--plan",
           "Quantize that model alone.");
  conflict(settings.json_lines && settings.json, "Both say how to print the result.", "--json-lines",
           "Leave --json out.");
  std::map<std::string, std::string> seen;
  for (const std::string& model : settings.positionals) {
    const std::string key = settings.output_dir.empty() ? without_onnx_extension(model) : stem_of(model);
    const auto [place, is_new] = seen.emplace(key, model);
    if (!is_new)
      throw Error(ErrorCode::kUsage, fmt::format("It would be written to the same file as {}.", place->second), model,
                  "Quantize models of one name in runs of their own.");
  }
}

Settings settings_for(const std::string& model, const Settings& all) {
  Settings one = settings_for_model(*find_command("quantize"), all, model);
  if (!all.output_dir.empty()) one.output = all.output_dir + "/";
  if (all.positionals.size() > 1 && !all.report_json.empty())
    one.report_json = with_tag(all.report_json, stem_of(model));
  return one;
}

/// The line of one written (or planned) model.
std::string written_line(const RunRecord& record, double seconds) {
  JsonWriter json;
  json.begin_object().key("schema_version").value(std::int64_t{1}).key("model").value(record.model.path);
  json.key("status").value("ok").key("exit_code").value(std::int64_t{0});
  json.key("budget").value(record.plan->budget).key("model_bytes").value(record.model.bytes);
  json.key("output");
  if (record.output) {
    json.begin_object().key("path").value(record.output->path).key("sha256").value(record.output->sha256);
    json.key("bytes").value(record.output->bytes).end_object();
  } else {
    json.null();
  }
  json.key("file_bytes").value(record.output ? record.output->bytes : record.plan->file_bytes);
  json.key("bits_per_weight").value(record.plan->bits_per_weight);
  json.key("predicted_damage").value(record.plan->predicted_damage).key("measured_damage");
  const bool measured = record.verification.has_value();
  measured ? json.value(record.verification->damage) : json.null();
  json.key("accuracy");
  measured&& record.verification->accuracy ? json.value(record.verification->accuracy->quantized) : json.null();
  return json.key("seconds").value(seconds).end_object().text();
}

std::string failed_line(const std::string& model, const Error& error) {
  JsonWriter json;
  json.begin_object().key("schema_version").value(std::int64_t{1}).key("model").value(model);
  json.key("status").value("failed").key("exit_code").value(static_cast<std::int64_t>(error.code()));
  json.key("error").begin_object().key("message").value(std::string_view(error.what()));
  json.key("where").value(error.where()).key("hint").value(error.hint());
  return json.end_object().end_object().text();
}

/// A document on one line: JsonWriter breaks lines only between values, and texts hold no raw line breaks.
std::string on_one_line(const std::string& text) {
  std::string line;
  bool at_begin = true;
  for (const char c : text) {
    if (c == '\n') {
      at_begin = true;
    } else if (!at_begin || c != ' ') {
      if (at_begin && !line.empty() && line.back() == ',') line += ' ';
      line += c;
      at_begin = false;
    }
  }
  return line + '\n';
}

std::string text_line(const RunRecord& record) {
  const std::int64_t bytes = record.output ? record.output->bytes : record.plan->file_bytes;
  return fmt::format("ok      {} -> {}: {} bytes = {:.1f} %, {:.3f} bits per weight{}\n", printable(record.model.path),
                     record.output ? printable(record.output->path) : "(dry run)", bytes,
                     100.0 * static_cast<double>(bytes) / static_cast<double>(record.model.bytes),
                     record.plan->bits_per_weight,
                     record.verification ? fmt::format(", damage {:.3g}", record.verification->damage) : "");
}

void report_written(const std::vector<PipelineResult>& results, double seconds, const Settings& settings,
                    Console& console) {
  for (const PipelineResult& result : results) {
    console.result(settings.json_lines ? on_one_line(written_line(result.record, seconds)) : text_line(result.record));
  }
}

/// Returns the exit code of this model.
int quantize_one(const std::string& model, const Settings& settings, Console& console) {
  const auto begin = std::chrono::steady_clock::now();
  const auto failed = [&](const Error& error) {
    console.status("");
    if (settings.json_lines) console.result(on_one_line(failed_line(model, error)));
    if (!settings.json_lines) console.result(fmt::format("failed  {}\n", printable(model)));
    print_error(error, console.color_on_stderr());
    return static_cast<int>(error.code());
  };
  try {
    const auto results = quantize_model(settings_for(model, settings), console);
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
    report_written(results, spent.count(), settings, console);
    return 0;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInterrupted) throw;
    return failed(error);
  } catch (const std::bad_alloc&) {
    return failed(Error(ErrorCode::kInternal, "Memory ran out.", model));
  }
}

}  // namespace

int run_batch(const Settings& settings, Console& console) {
  check_batch(settings);
  if (!settings.output_dir.empty()) {
    std::error_code error;
    fs::create_directories(settings.output_dir, error);
    if (error)
      throw Error(ErrorCode::kOutput, fmt::format("The folder cannot be made: {}.", error.message()),
                  settings.output_dir, "Choose another place with --output-dir.");
  }
  int code = 0;
  for (const std::string& model : settings.positionals) {
    const int result = quantize_one(model, settings, console);
    if (code == 0) code = result;
  }
  return code;
}

}  // namespace mpq::cli
