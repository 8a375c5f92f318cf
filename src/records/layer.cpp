#include "mpq/layer.h"

#include <charconv>

#include "mpq/error.h"

namespace mpq {
namespace {

constexpr std::int64_t kHalfBytes = 2;  // of a 16-bit weight, and of a scale
constexpr std::int64_t kPackGroup = 8;  // elements; every width's bit planes fill whole bytes for so many

constexpr std::string_view kCodebook = "/codebook";
constexpr int kWidestCodebook = 6;

/// The whole of `text` as a number above 0; 0 when it is none.
int positive_number(std::string_view text) {
  int value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() && result.ptr == text.data() + text.size() && value > 0 ? value : 0;
}

[[noreturn]] void refuse(const std::string& text) {
  throw Error(ErrorCode::kUsage, "\"" + text + "\" is no way to store a layer.", {},
              "Give a width as 2bit to 8bit, with blocks as 4bit/b32, with a codebook as 2bit/codebook to 6bit/codebook, or half, or float.");
}

[[noreturn]] void contradict(const Layer& layer, const std::string& what) {
  throw Error(ErrorCode::kInvalidInput, what, layer.name);
}

std::int64_t extent(const Layer& layer, int axis) {
  if (axis < 0 || static_cast<std::size_t>(axis) >= layer.shape.size())
    contradict(layer, "The layer has no axis " + std::to_string(axis) + ".");
  return layer.shape[static_cast<std::size_t>(axis)];
}

std::int64_t scale_count(const Layer& layer, int block) {
  std::int64_t count = 1;
  for (const int axis : layer.channel_axes) count *= extent(layer, axis);
  if (block == 0) return count;
  const std::int64_t length = extent(layer, layer.block_axis);
  if (length % block != 0)
    contradict(layer, "Blocks of " + std::to_string(block) + " do not divide the extent " + std::to_string(length) +
                          " of axis " + std::to_string(layer.block_axis) + ".");
  return count * (length / block);
}

std::int64_t element_bytes(const Layer& layer) {
  if (layer.dtype == "float32") return 4;
  if (layer.dtype == "float16" || layer.dtype == "bfloat16") return 2;
  if (layer.dtype == "float64") return 8;
  contradict(layer, "The element type " + layer.dtype + " is not one of float16, bfloat16, float32 and float64.");
}

}  // namespace

std::string to_string(const Candidate& candidate) {
  if (!candidate.has_scales()) return candidate.form;
  const std::string name = std::to_string(candidate.bits) + "bit";
  if (candidate.form == "codebook") return name + std::string(kCodebook);
  return candidate.block == 0 ? name : name + "/b" + std::to_string(candidate.block);
}

Candidate parse_candidate(const std::string& text) {
  if (text == "half" || text == "16bit") return {16, "half", 0};
  if (text == "float" || text == "32bit") return {32, "float", 0};
  constexpr std::string_view kUnit = "bit", kBlock = "/b";
  const std::string_view view = text;
  const std::size_t unit = view.find(kUnit);
  if (unit == std::string_view::npos) refuse(text);
  const std::string_view rest = view.substr(unit + kUnit.size());
  const int bits = positive_number(view.substr(0, unit));
  if (rest == kCodebook && bits >= 2 && bits <= kWidestCodebook) return {bits, "codebook", 0};
  const Candidate candidate{bits, "grid",
                            rest.starts_with(kBlock) ? positive_number(rest.substr(kBlock.size())) : 0};
  const bool block_is_good = rest.empty() || candidate.block > 0;
  // The inverse of to_string: one text per candidate, so that names can be compared as texts.
  if (candidate.bits < 2 || candidate.bits > 8 || !block_is_good || to_string(candidate) != text) refuse(text);
  return candidate;
}

std::int64_t stored_bytes(const Layer& layer, const Candidate& candidate) {
  if (candidate.form == "float") return element_bytes(layer) * layer.parameters;
  if (candidate.form == "half") return kHalfBytes * layer.parameters;
  if (!candidate.has_scales())
    throw Error(ErrorCode::kInternal, "The storage form \"" + candidate.form + "\" is unknown.", layer.name);
  const std::int64_t groups = (layer.parameters + kPackGroup - 1) / kPackGroup;
  const std::int64_t entries = candidate.form == "codebook" ? std::int64_t{1} << candidate.bits : 0;
  return groups * candidate.bits + kHalfBytes * scale_count(layer, candidate.block) + entries;
}

}  // namespace mpq
