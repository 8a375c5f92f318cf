#include "mpq/layer.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <set>

#include "mpq/error.h"

namespace mpq {
namespace {

constexpr std::int64_t kHalfBytes = 2;  // of a 16-bit weight, and of a scale
constexpr std::int64_t kPackGroup = 8;  // elements; every width's bit planes fill whole bytes for so many

constexpr std::string_view kTrellis = "/trellis", kRows = "/rows";
constexpr int kNarrowest = 2, kWidestGrid = 8, kWidestTrellis = 6;
constexpr int kRowBits = 2;  // that say which of a layer's widths a row has

/// The whole of `text` as a number above 0; 0 when it is none.
int positive_number(std::string_view text) {
  int value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() && result.ptr == text.data() + text.size() && value > 0 ? value : 0;
}

[[noreturn]] void refuse(const std::string& text) {
  throw Error(ErrorCode::kUsage, "\"" + text + "\" is no way to store a layer.", {},
              "Give a width as 2bit to 8bit, with blocks as 4bit/b32, as a trellis as 2bit/trellis to "
              "6bit/trellis, with widths of rows as 3.5bit/rows, or half, or float.");
}

/// A mean width of rows, "3.5" or "3"; 0 for anything else.
int tenths(std::string_view text) {
  constexpr int kTen = 10;
  const std::size_t point = text.find('.');
  const int whole = positive_number(text.substr(0, point));
  if (point == std::string_view::npos) return kTen * whole;
  return text.size() == point + 2 ? kTen * whole + positive_number(text.substr(point + 1)) : 0;
}

Candidate parse_rows(const std::string& text, std::string_view mean) {
  constexpr int kTen = 10;
  Candidate candidate{0, "grid", 0, tenths(mean), {}};
  candidate.bits = (candidate.row_tenths + kTen / 2) / kTen;
  if (candidate.bits < kNarrowest || candidate.bits > kWidestGrid || to_string(candidate) != text) refuse(text);
  return candidate;
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

std::int64_t groups_of(std::int64_t numbers) { return (numbers + kPackGroup - 1) / kPackGroup; }

std::int64_t row_bytes(const Layer& layer, const Candidate& candidate) {
  const auto rows = static_cast<std::int64_t>(candidate.row_bits.size());
  if (rows != scale_count(layer, 0) || rows == 0)
    contradict(layer, "The candidate has widths for " + std::to_string(rows) + " rows.");
  std::int64_t bytes = kRowBits * groups_of(rows) + kHalfBytes * rows;
  for (std::uint8_t width = kNarrowest; width <= kWidestGrid; ++width) {
    const auto alike = std::count(candidate.row_bits.begin(), candidate.row_bits.end(), width);
    bytes += groups_of(alike * (layer.parameters / rows)) * width;
  }
  return bytes;
}

}  // namespace

int Candidate::narrowest() const {
  return row_bits.empty() ? bits : *std::min_element(row_bits.begin(), row_bits.end());
}

int Candidate::widest() const { return row_bits.empty() ? bits : *std::max_element(row_bits.begin(), row_bits.end()); }

Candidate row_candidate(std::vector<std::uint8_t> row_bits) {
  const std::set<int> widths(row_bits.begin(), row_bits.end());
  if (widths.size() < 2 || widths.size() > kMostRowWidths || *widths.begin() < kNarrowest ||
      *widths.rbegin() > kWidestGrid) {
    throw Error(ErrorCode::kInternal, "Rows have two to four kinds of widths, from 2 to 8.");
  }
  constexpr double kTenths = 10;
  const double mean = std::accumulate(row_bits.begin(), row_bits.end(), 0.0) / static_cast<double>(row_bits.size());
  Candidate candidate{static_cast<int>(mean + 0.5), "grid", 0, static_cast<int>(kTenths * mean + 0.5), {}};
  candidate.row_bits = std::move(row_bits);
  return candidate;
}

std::string to_string(const Candidate& candidate) {
  if (!candidate.has_scales()) return candidate.form;
  if (candidate.has_row_widths()) {
    constexpr int kTen = 10;
    const int rest = candidate.row_tenths % kTen;
    return std::to_string(candidate.row_tenths / kTen) + (rest > 0 ? "." + std::to_string(rest) : "") + "bit" +
           std::string(kRows);
  }
  const std::string name = std::to_string(candidate.bits) + "bit";
  if (candidate.is_trellis()) return name + std::string(kTrellis);
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
  if (rest == kRows) return parse_rows(text, view.substr(0, unit));
  const int bits = positive_number(view.substr(0, unit));
  const std::string form = rest == kTrellis ? "trellis" : "grid";
  const Candidate candidate{bits, form, rest.starts_with(kBlock) ? positive_number(rest.substr(kBlock.size())) : 0};
  const int widest = candidate.is_trellis() ? kWidestTrellis : kWidestGrid;
  const bool block_is_good = rest.empty() || candidate.is_trellis() || candidate.block > 0;
  // The inverse of to_string: one text per candidate, so that names can be compared as texts.
  if (candidate.bits < kNarrowest || candidate.bits > widest || !block_is_good || to_string(candidate) != text)
    refuse(text);
  return candidate;
}

std::int64_t stored_bytes(const Layer& layer, const Candidate& candidate) {
  if (candidate.form == "float") return element_bytes(layer) * layer.parameters;
  if (candidate.form == "half") return kHalfBytes * layer.parameters;
  if (!candidate.has_scales())
    throw Error(ErrorCode::kInternal, "The storage form \"" + candidate.form + "\" is unknown.", layer.name);
  if (candidate.has_row_widths()) return row_bytes(layer, candidate);
  return groups_of(layer.parameters) * candidate.bits + kHalfBytes * scale_count(layer, candidate.block) +
         candidate.entries();
}

}  // namespace mpq
