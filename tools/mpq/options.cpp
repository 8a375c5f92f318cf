#include "options.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "mpq/error.h"

#include "suggest.h"

namespace mpq::cli {
namespace {

using S = Settings;
using G = Option::Group;

constexpr unsigned kReaders = kQuantize | kAnalyze;            ///< commands that run the perturbation engine
constexpr unsigned kAllocators = kQuantize | kPlan;            ///< commands that choose widths
constexpr unsigned kRunners = kQuantize | kAnalyze | kVerify;  ///< commands that run models
constexpr unsigned kJson =
    kQuantize | kInspect | kAnalyze | kMerge | kPlan | kProfile | kRun | kVerify | kDiff | kCheck;
constexpr std::int64_t kMostSeed = (std::int64_t{1} << 53) - 1;  ///< exact in any JSON reader

// clang-format off
const std::array kTable = {
    Option{"output", 'o', "PATH", "where to write; a folder keeps the default name; - is stdout for text",
           kQuantize | kAnalyze | kMerge | kPlan | kProfile | kReport, G::kFiles, &S::output},
    Option{"output", 'o', "PATH.npz", "write the outputs of all requests, one array per output with a leading axis over them",
           kRun, G::kFiles, &S::output},
    Option{"requantize", 0, "", "take a model that another tool quantized back to floats first",
           kReaders | kInspect, G::kFiles, &S::requantize},
    Option{"force", 0, "", "overwrite existing outputs (never an input)",
           kQuantize | kAnalyze | kMerge | kPlan | kProfile | kRun | kVerify | kReport | kCheck | kInspect, G::kFiles,
           &S::force},
    Option{"calibration", 0, "DATA", "inputs to measure with: an .npz, a folder of .npy, of ONNX test data or of images; "
           "without it, synthetic inputs", kReaders, G::kFiles, &S::calibration},
    Option{"eval", 0, "DATA", "inputs to judge the result on; without it, a held-out fifth of the calibration data",
           kQuantize, G::kFiles, &S::evaluation},
    Option{"data", 0, "DATA", "inputs to compare on: as --calibration of quantize; without it, synthetic inputs",
           kVerify, G::kFiles, &S::data},
    Option{"kernels", 0, "", "run the model and show which kernel of ONNX Runtime each layer gets, and its time", kInspect, G::kFiles,
           &S::kernels},
    Option{"dump-weights", 0, "DIR", "of a model that mpq wrote: write every weight, unpacked, as DIR/NAME.npy", kInspect,
           G::kFiles, &S::dump_weights},
    Option{"float", 0, "MODEL", "with --kernels: the float model, to compare times with", kInspect, G::kFiles, &S::float_model},
    Option{"data", 0, "DATA", "with --kernels: inputs to run it on, as --calibration of quantize; without it, synthetic inputs",
           kInspect, G::kFiles, &S::data},
    Option{"data", 0, "DATA", "inputs to run on, of which the first is used: as --calibration of quantize; without it, synthetic inputs",
           kProfile, G::kFiles, &S::data},
    Option{"profile", 0, "FILE", "the model's *.profile.json on this machine, written by `mpq profile`", kQuantize | kPlan | kRun,
           G::kFiles, &S::profile},
    Option{"inputs", 0, "DATA", "what to run: as --calibration of quantize, each sample a request; without it, synthetic inputs",
           kRun, G::kFiles, &S::inputs},
    Option{"html", 0, "PATH", "write placement and timeline as one self-contained page", kRun, G::kFiles, &S::html},
    Option{"labels", 0, "FILE.npy", "true classes of the evaluation samples: accuracy before and after",
           kQuantize | kVerify, G::kFiles, &S::labels},
    Option{"samples", 0, "N", "use at most N samples of each data set; made-up ones: so many (default 16)", kRunners | kRun, G::kFiles, &S::samples, 1, 1'000'000'000},
    Option{"image-preset", 0, "imagenet|unit|minus1to1", "how the pixels of image folders are scaled (default imagenet)",
           kRunners | kProfile | kRun, G::kFiles, &S::image_preset},
    Option{"scores", 0, "FILE", "take the sensitivities from this *.sensitivity.json or run record instead of analyzing",
           kQuantize, G::kFiles, &S::scores},
    Option{"plan", 0, "FILE", "write exactly this *.plan.json instead of planning", kQuantize, G::kFiles, &S::plan},
    Option{"report-json", 0, "PATH", "write the run record, for `mpq report`; with several budgets one file each, "
           "the budget in its name", kQuantize | kAnalyze | kVerify, G::kFiles, &S::report_json},
    Option{"format", 0, "table|json|csv|md|html|junit", "how to show the record (default table); html is one self-contained "
           "page", kReport, G::kFiles, &S::format},
    Option{"format", 0, "table|json|md", "how to show the comparison (default table)", kDiff, G::kFiles, &S::format},
    Option{"format", 0, "table|json|md|github|junit", "how to show the verdicts (default table); github prints annotations",
           kCheck, G::kFiles, &S::format},
    Option{"baseline", 0, "RECORD", "the older run that --max-regression compares with", kCheck, G::kFiles, &S::baseline},
    Option{"junit", 0, "PATH", "write the verdicts as JUnit XML too", kCheck, G::kFiles, &S::junit},
    Option{"output-dir", 0, "DIR", "write everything into this folder, made when missing; several models may be given and a "
           "failing one does not stop the others", kQuantize, G::kFiles, &S::output_dir},
    Option{"cache", 0, "DIR", "keep analyses here, and take them from here when model, data and options are the same",
           kQuantize, G::kFiles, &S::cache},

    Option{"budget", 'b', "B", "6bit, 5.5bit: stored bits per quantizable weight, scales included; 12MB, 12MiB, 900kB, 123456B, "
           "25%, 4x: the whole file; may be given several times, one file each. 8ms, 500us: the latency of every one of them, by --profile",
           kAllocators, G::kPlan, &S::budgets},
    Option{"max-drop", 0, "X", "write the smallest model that loses at most so much on the evaluation data, by measuring: 0.5% of the "
           "accuracy (without labels: of the top-1 answers), 30dB at every output, or 0.01 damage; a --budget then limits it from above",
           kQuantize, G::kPlan, &S::max_drop},
    Option{"layer", 0, "'GLOB=4bit'", "give these layers this form: 2bit ... 8bit, half or float; may be given several times",
           kAllocators, G::kPlan, &S::layer},
    Option{"keep", 0, "'GLOB'", "leave these layers as they are; may be given several times", kAllocators, G::kPlan, &S::keep},
    Option{"narrowest", 0, "N", "give no layer fewer bits than this", kAllocators, G::kPlan, &S::narrowest, 2, 32},
    Option{"divided", 0, "", "with --profile: time the network divided among its processors, as `mpq run --task sync` runs it, "
           "instead of on one of them", kAllocators, G::kPlan, &S::divided},
    Option{"uniform", 0, "", "one width everywhere: the baseline to compare with", kAllocators, G::kPlan, &S::uniform},
    Option{"compute", 0, "auto|float|int8", "how quantized layers may run: in float arithmetic, on integer kernels where "
           "they exist, or what the damage allows (default auto)", kAllocators, G::kPlan, &S::compute},
    Option{"rounding", 0, "auto|nearest|data-free|second-order|sequential", "how weights are rounded: to nearest, so that a row's errors cancel, by the "
           "statistics of each layer's inputs, or so and front to back; auto: data-free without --calibration, else what does best (default auto)", kQuantize, G::kPlan, &S::rounding},
    Option{"dry-run", 0, "", "stop after the plan: print it and the exact size, write no model", kQuantize, G::kPlan, &S::dry_run},
    Option{"frontier", 0, "", "list every size this analysis can reach and its damage; with --profile by latency too", kPlan, G::kPlan, &S::frontier},
    Option{"what-if", 0, "'GLOB=4bit'", "what a change to the plan would cost, with and without planning the rest again",
           kPlan, G::kPlan, &S::what_if},

    Option{"max-bytes", 0, "SIZE", "largest file: 12MB, 900kB, 25%, 4x", kCheck, G::kGates, &S::max_bytes},
    Option{"max-drop", 0, "X%", "accuracy that may be lost, in points; without labels the top-1 answers that may change",
           kCheck, G::kGates, &S::max_drop},
    Option{"min-sqnr", 0, "XdB", "least signal-to-noise ratio of every output", kCheck, G::kGates, &S::min_sqnr},
    Option{"min-top1-agreement", 0, "X%", "least share of unchanged top-1 answers of every output with classes",
           kCheck, G::kGates, &S::min_top1_agreement},
    Option{"min-bits", 0, "'GLOB=4'", "least width of these layers; may be given several times", kCheck, G::kGates, &S::min_bits},
    Option{"max-regression", 0, "X%", "growth of file and damage over --baseline", kCheck, G::kGates, &S::max_regression},

    Option{"effort", 0, "1..5", "from seconds to thorough (default 3); -v says what it chose", kReaders, G::kAnalysis, &S::effort, 1, 5},
    Option{"bits", 0, "LIST", "candidate widths (default 2,3,4,5,6,7,8,16,float)", kReaders, G::kAnalysis, &S::bits},
    Option{"portable", 0, "", "for processors without VNNI, whose integer kernels saturate with 8 bits, and ONNX Runtime from 1.17 on: at most 7 bits, older operators",
           kReaders, G::kAnalysis, &S::portable},
    Option{"forms", 0, "LIST", "storage forms to choose among: grid,blocks,trellis (the default), rows; grid alone is plain grids",
           kReaders, G::kAnalysis, &S::forms},
    Option{"store", 0, "packed|fast", "fast: only what a runtime loads without unpacking it, int8, half and, from opset 21 on, int4 (default packed: every width)",
           kReaders, G::kAnalysis, &S::store},
    Option{"scale-fit", 0, "mse|minmax", "how scales are fitted: least squared error, or plain range (default mse)",
           kReaders, G::kAnalysis, &S::scale_fit},
    Option{"engine", 0, "noise|rounding|adjoint|auto", "reruns with random noise or with the real rounding errors, "
           "or reverse passes that price everything at once (default auto: reverse passes where they apply)",
           kReaders, G::kAnalysis, &S::engine},
    Option{"probes", 0, "N", "reverse passes per sample of the adjoint (default 1)", kReaders, G::kAnalysis, &S::probes, 1, 1024},
    Option{"noise", 0, "gaussian|uniform|rademacher|quantization", "the law of the perturbations (default quantization, "
           "with --engine noise gaussian)", kReaders, G::kAnalysis, &S::noise},
    Option{"trials", 0, "N|adaptive", "perturbations per layer and candidate; adaptive stops when the ranking is settled "
           "(the default)", kReaders, G::kAnalysis, &S::trials},
    Option{"max-trials", 0, "N", "cap of the adaptive trials, and of the samples the adjoint sees", kReaders, G::kAnalysis, &S::max_trials, 1, 1'000'000},
    Option{"shard", 0, "K/N", "work out only the Kth of N parts, for `mpq merge` to join: every Nth trial, so that N machines share the analysis",
           kAnalyze, G::kAnalysis, &S::shard},
    Option{"metric", 0, "auto|kl|mse|relative_l2|sqnr|cosine", "what counts as damage (default auto: kl for "
           "distributions, else mse)", kRunners, G::kAnalysis, &S::metric},
    Option{"place", 0, "network|local", "where it is measured: the network's outputs or the layer's own (default network)",
           kReaders, G::kAnalysis, &S::place},
    Option{"aggregation", 0, "mean|max|quantile", "how trials are put together (default mean)", kReaders, G::kAnalysis, &S::aggregation},
    Option{"outputs", 0, "'GLOB'", "measure only these outputs", kRunners, G::kAnalysis, &S::outputs},
    Option{"output-weight", 0, "'OUTPUT=W'", "weight of these outputs in the damage (default 1 each; 0 leaves them out); may be given "
           "several times", kRunners, G::kAnalysis, &S::output_weights},
    Option{"output-kind", 0, "'OUTPUT=KIND'", "what these outputs hold: logits, probabilities, sigmoid or tensor (default: told from their "
           "values); may be given several times", kRunners, G::kAnalysis, &S::output_kinds},
    Option{"seed", 0, "N", "of everything random (default 1)", kRunners | kRun, G::kAnalysis, &S::seed, 0, kMostSeed},
    Option{"checkpoint", 0, "PATH|none", "where an interrupted analysis is kept (default: the user's cache folder)",
           kReaders, G::kAnalysis, &S::checkpoint},

    Option{"devices", 0, "LIST", "processors: cpu, cpu:0, cpu:0-3, cpu:0+2, openvino:cpu, openvino:cpu@1, webgpu, cuda:0; "
           "separated by commas", kProfile, G::kAnalysis, &S::devices},
    Option{"precisions", 0, "LIST", "of float32, bfloat16, int8, int4 (default: all that the processors have)",
           kProfile, G::kAnalysis, &S::precisions},
    Option{"repeats", 0, "N", "timed runs of every segment (default 15)", kProfile, G::kAnalysis, &S::repeats, 1, 100'000},
    Option{"openvino-library", 0, "PATH", "libonnxruntime_providers_openvino_plugin.so of the Python package "
           "onnxruntime-ep-openvino", kProfile | kRun, G::kAnalysis, &S::openvino_library},
    Option{"webgpu-library", 0, "PATH", "libonnxruntime_providers_webgpu.so of the Python package onnxruntime-ep-webgpu",
           kProfile | kRun, G::kAnalysis, &S::webgpu_library},
    Option{"checkpoint", 0, "PATH|none", "where an interrupted profile is kept (default: beside the output)",
           kProfile, G::kAnalysis, &S::checkpoint},

    Option{"task", 0, "sync|async", "sync: the caller waits for each answer, so latency counts; async: a stream, so throughput "
           "counts", kRun, G::kAnalysis, &S::task},
    Option{"requests", 0, "N", "run N requests, the samples in turn (default: each once)", kRun, G::kAnalysis, &S::requests, 1, 100'000'000},
    Option{"latency-limit", 0, "MS", "what one request may take: 8, 8ms, 0.5s; async: on average, under load", kRun, G::kAnalysis,
           &S::latency_limit},
    Option{"precision", 0, "float32|bfloat16|stored", "precision of the profile to run at (default: the model's own)", kRun,
           G::kAnalysis, &S::precision},
    Option{"explain", 0, "", "draw who works when", kRun, G::kAnalysis, &S::explain},

    Option{"threads", 'j', "N", "0 = all cores (default); results do not depend on it", kRunners, G::kRun, &S::threads, 0, 4096},
    Option{"memory-limit", 0, "SIZE", "work in at most so much memory: 2GiB, 800MB; a model that does not fit runs piece by piece (default: half "
           "of the machine's)", kRunners | kInspect, G::kRun, &S::memory_limit},
    Option{"threads", 'j', "N", "with --kernels: threads inside one run (default 1)", kInspect, G::kRun, &S::threads, 1, 4096},
    Option{"config", 0, "FILE", "options from a TOML file, at the top or under [command]", kEveryCommand, G::kRun, &S::config},
    Option{"print-config", 0, "", "print the options in force as a configuration file and stop", kEveryCommand, G::kRun,
           &S::print_config},
    Option{"json", 0, "", "print one JSON document on stdout instead of the report", kJson, G::kRun, &S::json},
    Option{"json-lines", 0, "", "print one line of JSON per written or failed model, as it comes", kQuantize, G::kRun,
           &S::json_lines},
    Option{"quiet", 'q', "", "no progress, notes or warnings; only the result and errors", kEveryCommand, G::kRun, &S::quiet},
    Option{"verbose", 'v', "", "more detail: what was chosen and why, every layer", kEveryCommand, G::kRun, &S::verbose},
    Option{"progress", 0, "auto|always|never", "the progress on stderr: a bar on a terminal, else lines; auto says nothing of stages "
                     "under a second (default auto)", kRunners | kProfile | kRun, G::kRun, &S::progress},
    Option{"color", 0, "auto|always|never", "colours (default auto: on a terminal, unless NO_COLOR is set)",
           kEveryCommand, G::kRun, &S::color},
    Option{"log-file", 0, "PATH", "append everything said to this file, with times", kEveryCommand, G::kRun, &S::log_file},
    Option{"help", 'h', "", "this text", kEveryCommand, G::kRun, &S::help},
};
// clang-format on

Error usage(const std::string& what, const std::string& origin, const std::string& hint = {}) {
  return Error(ErrorCode::kUsage, what, origin, hint);
}

bool parse_bool(const std::string& text, const std::string& origin) {
  static const std::array<std::string, 4> kYes = {"true", "1", "yes", "on"}, kNo = {"false", "0", "no", "off"};
  if (std::find(kYes.begin(), kYes.end(), text) != kYes.end()) return true;
  if (std::find(kNo.begin(), kNo.end(), text) != kNo.end()) return false;
  throw usage(fmt::format("\"{}\" is neither true nor false.", text), origin);
}

std::int64_t parse_integer(const Option& option, const std::string& text, const std::string& origin) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < option.least || value > option.most) {
    throw usage(fmt::format("\"{}\" is no whole number from {} to {}.", text, option.least, option.most), origin);
  }
  return value;
}

void check_text(const Option& option, const std::string& text, const std::string& origin) {
  if (text.empty()) throw usage("The value is empty.", origin);
  const auto allowed = allowed_values(option);
  if (allowed.empty() || std::find(allowed.begin(), allowed.end(), text) != allowed.end()) return;
  throw usage(fmt::format("There is no \"{}\" here; {} exist in this version.", text, fmt::join(allowed, ", ")), origin,
              did_you_mean(text, allowed));
}

/// Budgets may share one value: a budget never holds a comma.
std::vector<std::string> split_budgets(const std::vector<std::string>& values) {
  std::vector<std::string> result;
  for (const std::string& value : values) {
    for (std::size_t begin = 0; begin <= value.size();) {
      const std::size_t end = std::min(value.find(',', begin), value.size());
      const std::size_t first = std::min(value.find_first_not_of(' ', begin), end);
      result.push_back(value.substr(first, end - first));
      begin = end + 1;
    }
  }
  return result;
}

}  // namespace

std::span<const Option> option_table() { return kTable; }

std::vector<std::string> allowed_values(const Option& option) {
  const std::string list = option.value;
  std::vector<std::string> result;
  if (list.find('|') == std::string::npos || list.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string::npos)
    return result;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find('|', begin), list.size());
    result.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

const Option* find_option(const std::string& name, unsigned commands) {
  const auto found = std::find_if(kTable.begin(), kTable.end(),
                                  [&](const Option& o) { return name == o.name && (o.commands & commands) != 0; });
  return found == kTable.end() ? nullptr : &*found;
}

std::string environment_name(const Option& option) {
  std::string name = std::string("MPQ_") + option.name;
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c == '-' ? '_' : (c >= 'a' && c <= 'z') ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return name;
}

void assign(const Option& option, const std::vector<std::string>& values, const std::string& origin,
            Settings& settings) {
  if (!option.is_list() && values.size() > 1)
    throw usage("It was given more than once, and only one value makes sense.", origin);
  if (values.empty()) throw usage("A value is missing.", origin);
  if (const auto* flag = std::get_if<bool S::*>(&option.target)) {
    settings.*(*flag) = parse_bool(values[0], origin);
  } else if (const auto* text = std::get_if<std::string S::*>(&option.target)) {
    check_text(option, values[0], origin);
    settings.*(*text) = values[0];
  } else if (const auto* number = std::get_if<std::optional<std::int64_t> S::*>(&option.target)) {
    settings.*(*number) = parse_integer(option, values[0], origin);
  } else {
    const auto list = std::get<std::vector<std::string> S::*>(option.target);
    for (const std::string& value : values) check_text(option, value, origin);
    settings.*list = list == &S::budgets ? split_budgets(values) : values;
  }
  std::erase_if(settings.given, [&](const auto& known) { return known.first == option.name; });
  const bool is_flag = std::holds_alternative<bool S::*>(option.target);
  for (const std::string& value : values)
    settings.given.emplace_back(option.name, !is_flag ? value : parse_bool(value, origin) ? "true" : "false");
}

}  // namespace mpq::cli
