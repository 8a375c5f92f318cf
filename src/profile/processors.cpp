#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "mpq/error.h"
#include "mpq/profile.h"

namespace mpq {
namespace {

constexpr const char* kGrammar =
    "A processor is cpu, cpu:0, cpu:0-3 or cpu:0+2 (cores), openvino:cpu, openvino:cpu@0-3, openvino:gpu, "
    "openvino:npu, "
    "webgpu, or cuda:0; several are separated by commas.";

[[noreturn]] void fail(const std::string& text, const std::string& what) {
  throw Error(ErrorCode::kUsage, "\"" + text + "\" names no processor: " + what + ".", "--devices", kGrammar);
}

/// A whole number below 2^16, the whole of `text`; -1 for anything else.
int natural(std::string_view text) {
  int value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && value >= 0 && value < (1 << 16) && text.front() != '+' ? value : -1;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find(separator, begin)) != std::string::npos; begin = end + 1)
    parts.push_back(text.substr(begin, end - begin));
  parts.push_back(text.substr(begin));
  return parts;
}

/// "0", "0-3", "0+2", "0-1+4".
std::vector<int> parse_cores(const std::string& cores, const std::string& text) {
  std::set<int> result;
  for (const std::string& range : split(cores, '+')) {
    const std::vector<std::string> ends = split(range, '-');
    const int first = natural(ends.front()), last = natural(ends.back());
    if (ends.size() > 2 || first < 0 || last < first) fail(text, "\"" + cores + "\" are no cores");
    for (int core = first; core <= last; ++core) result.insert(core);
  }
  return {result.begin(), result.end()};
}

/// Takes "x4" off the end of the cores: how many times slower than it is, for tests.
double take_slowdown(std::string& cores, const std::string& text) {
  const std::size_t x = cores.find('x');
  if (x == std::string::npos) return 1;
  double factor = 0;
  const char* end = cores.data() + cores.size();
  const auto parsed = std::from_chars(cores.data() + x + 1, end, factor);
  if (parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(factor) || factor < 1)
    fail(text, "what follows the x is no factor of at least 1");
  cores.resize(x);
  return factor;
}

void check_device(const Processor& processor) {
  const std::string& device = processor.device;
  if (processor.provider == "openvino" && device != "cpu" && device != "gpu" && device != "npu")
    fail(processor.name, "OpenVINO's devices are cpu, gpu and npu");
  if (processor.provider == "cuda" && natural(device) < 0) fail(processor.name, "a CUDA device is a number");
  if (processor.provider == "webgpu" && !device.empty()) fail(processor.name, "webgpu has no devices to choose from");
}

}  // namespace

Processor parse_processor(const std::string& text) {
  Processor processor;
  processor.name = text;
  const std::size_t at = text.find('@');
  std::string head = text.substr(0, at), cores = at == std::string::npos ? "" : text.substr(at + 1);
  const std::size_t colon = head.find(':');
  processor.provider = head.substr(0, colon);
  std::string rest = colon == std::string::npos ? "" : head.substr(colon + 1);
  static const std::set<std::string> kProviders = {"cpu", "openvino", "webgpu", "cuda"};
  if (!kProviders.count(processor.provider)) fail(text, "there is no provider \"" + processor.provider + "\"");
  if (colon != std::string::npos && rest.empty()) fail(text, "nothing follows the colon");
  if (at != std::string::npos && cores.empty()) fail(text, "nothing follows the @");
  if (processor.provider == "cpu") {
    if (at != std::string::npos) fail(text, "the cores of cpu follow a colon");
    cores = rest;
  } else {
    processor.device = rest;
    if (rest.empty() && processor.provider == "openvino") processor.device = "cpu";
    if (rest.empty() && processor.provider == "cuda") processor.device = "0";
  }
  check_device(processor);
  processor.slowdown = take_slowdown(cores, text);
  if (!cores.empty()) processor.cores = parse_cores(cores, text);
  return processor;
}

std::vector<Processor> parse_processors(const std::string& list) {
  if (list.empty()) throw Error(ErrorCode::kUsage, "No processor is named.", "--devices", kGrammar);
  std::vector<Processor> processors;
  for (const std::string& text : split(list, ',')) {
    const auto same = [&](const Processor& other) { return other.name == text; };
    if (std::any_of(processors.begin(), processors.end(), same)) fail(text, "it is in the list already");
    processors.push_back(parse_processor(text));
  }
  return processors;
}

}  // namespace mpq
