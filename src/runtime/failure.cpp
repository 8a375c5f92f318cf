#include "runtime/failure.h"

#include <array>
#include <cctype>
#include <regex>
#include <string_view>

namespace mpq::runtime {
namespace {

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string collapse_blanks(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool blank = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == ':' || out.back() == '.')) out.pop_back();
  return out;
}

}  // namespace

std::string clean_message(const std::string& message) {
  std::string text = message;
  // A debug build's stack trace follows the sentence.
  if (const auto trace = text.find("Stacktrace:"); trace != std::string::npos) text.resize(trace);
  struct Rule {
    std::regex pattern;
    const char* replacement;
  };
  static const std::array<Rule, 8> rules = {{
      {std::regex(R"(\[ONNXRuntimeError\] : \d+ : [A-Z_]+ :\s*)"), ""},
      // "/src/core/graph/graph.cc:4336 onnxruntime::common::Status onnxruntime::Graph::Resolve(const Options&) [cond] "
      {std::regex(R"(\S+\.(cc|cpp|h|hpp|hh):\d+ [^()\n]*::[^()\s]*\([^()\n]*(\([^()\n]*\)[^()\n]*)*\)( const)?\s*)"),
       ""},
      // "graph.cc:4336 ReplaceInitializedTensorImpl "
      {std::regex(R"(\S+\.(cc|cpp|h|hpp|hh):\d+ (\S+ )?)"), ""},
      // "x == y was false. "
      {std::regex(R"((^|: )[^:.]{1,200} was false\.\s*)"), "$1"},
      {std::regex(R"(Exception during (initialization|loading): )"), ""},
      {std::regex(R"(Non-zero status code returned while running (\S+) node\.\s*Name:'([^']*)'\s*Status Message:\s*)"),
       "$1 node '$2': "},
      {std::regex(R"(( node| with name) '')"), ""},
      {std::regex(R"(Load model from .* failed:\s*)"), ""},
  }};
  for (const Rule& rule : rules) text = std::regex_replace(text, rule.pattern, rule.replacement);
  text = collapse_blanks(text);
  return text.empty() ? "no reason was given" : text;
}

ErrorCode classify(OrtErrorCode code, const std::string& message) {
  if (code == ORT_NOT_IMPLEMENTED) return ErrorCode::kUnsupported;
  static constexpr std::array<std::string_view, 8> kMissing = {
      "is not a registered function/op", "No Op registered for",
      "No opset import for domain",      "Could not find an implementation",
      "Failed to allocate memory",       "bad_alloc",
      "Unsupported model IR version",    "is till opset"};
  for (const std::string_view mark : kMissing) {
    if (contains(message, mark)) return ErrorCode::kUnsupported;
  }
  return ErrorCode::kInvalidInput;
}

Error translate(const Ort::Exception& failure, const std::string& what_failed, const std::string& where) {
  const std::string raw = failure.what();
  const ErrorCode code = classify(failure.GetOrtErrorCode(), raw);
  std::string hint;
  if (code == ErrorCode::kUnsupported) {
    hint = contains(raw, "allocate memory") || contains(raw, "bad_alloc")
               ? "Use a machine with more memory, or smaller samples."
               : "Check that stock ONNX Runtime runs this model on the CPU.";
  }
  return Error(code, what_failed + ": " + clean_message(raw) + ".", where, hint);
}

}  // namespace mpq::runtime
