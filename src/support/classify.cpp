#include <algorithm>
#include <cmath>
#include <limits>

#include "mpq/error.h"

#include "support/damage.h"
#include "support/values.h"

namespace mpq {
namespace {

/// How far the sum of a row of probabilities may be from 1: wide enough for half-precision softmax over thousands of
/// classes.
constexpr double kSumTolerance = 1e-2;
constexpr std::int64_t kMostClasses = 30000;

/// What one pass over an output tells about it; rows run along the last axis.
struct Look {
  double least = std::numeric_limits<double>::infinity();
  double greatest = -std::numeric_limits<double>::infinity();
  bool sums_to_one = true;  ///< every row
  bool unit_length = true;  ///< every row
  bool has_nan = false;
};

bool is_integer(DType type) {
  switch (type) {
    case DType::kFloat32:
    case DType::kFloat64:
    case DType::kFloat16:
    case DType::kBFloat16:
      return false;
    default:
      return true;
  }
}

Look look_at(const Tensor& tensor) {
  const auto row = static_cast<std::size_t>(tensor.shape().empty() ? 1 : tensor.shape().back());
  const bool coarse = tensor.type() == DType::kFloat16 || tensor.type() == DType::kBFloat16;
  const double length_tolerance = coarse ? 2e-2 : 1e-4;  // of the squared length
  Look look;
  double sum = 0, squares = 0;
  std::size_t column = 0;
  for_each_chunk(tensor, [&](std::span<const double> values) {
    for (const double value : values) {
      look.least = std::min(look.least, value);
      look.greatest = std::max(look.greatest, value);
      look.has_nan = look.has_nan || std::isnan(value);
      sum += value;
      squares += value * value;
      if (++column < row) continue;
      look.sums_to_one = look.sums_to_one && std::abs(sum - 1) < kSumTolerance;
      look.unit_length = look.unit_length && std::abs(squares - 1) < length_tolerance;
      sum = squares = 0;
      column = 0;
    }
  });
  return look;
}

/// [C] or [1, C] with a number of columns that classes can have.
bool is_row_of_classes(const std::vector<std::int64_t>& shape) {
  if (shape.empty() || shape.size() > 2 || (shape.size() == 2 && shape[0] != 1)) return false;
  return shape.back() >= 2 && shape.back() <= kMostClasses;
}

/// From the narrowest claim to the widest: whatever holds for two samples is the wider of their kinds.
int width(OutputKind kind) {
  switch (kind) {
    case OutputKind::kProbabilities:
      return 0;
    case OutputKind::kSigmoid:
      return 1;
    case OutputKind::kLogits:
      return 2;
    case OutputKind::kTensor:
      return 3;
    case OutputKind::kLabels:
      return 4;
  }
  return 4;
}

}  // namespace

const char* to_string(OutputKind kind) {
  switch (kind) {
    case OutputKind::kLogits:
      return "logits";
    case OutputKind::kProbabilities:
      return "probabilities";
    case OutputKind::kSigmoid:
      return "sigmoid";
    case OutputKind::kTensor:
      return "tensor";
    case OutputKind::kLabels:
      return "labels";
  }
  return "tensor";
}

OutputKind parse_output_kind(const std::string& text) {
  for (const OutputKind kind :
       {OutputKind::kLogits, OutputKind::kProbabilities, OutputKind::kSigmoid, OutputKind::kTensor}) {
    if (text == to_string(kind)) return kind;
  }
  throw Error(ErrorCode::kUsage,
              "\"" + text + "\" is no kind of output; there are logits, probabilities, sigmoid and tensor.",
              "--output-kind");
}

OutputKind classify_output(const Tensor& reference) {
  if (is_integer(reference.type())) return OutputKind::kLabels;
  if (reference.size() == 0) return OutputKind::kTensor;
  const Look look = look_at(reference);
  if (look.has_nan) return OutputKind::kTensor;
  const std::int64_t columns = reference.shape().empty() ? 1 : reference.shape().back();
  const bool non_negative = look.least >= 0;
  if (columns > 1 && non_negative && look.sums_to_one) return OutputKind::kProbabilities;
  // A few numbers may have length 1 by accident; a row of many does not.
  constexpr std::int64_t kFewColumns = 8;
  if (columns >= kFewColumns && look.unit_length) return OutputKind::kTensor;
  if (non_negative && look.greatest <= 1) return OutputKind::kSigmoid;
  if (is_row_of_classes(reference.shape()) && !look.unit_length) return OutputKind::kLogits;
  return OutputKind::kTensor;
}

OutputKind refine(OutputKind so_far, const Tensor& reference) {
  const OutputKind now = classify_output(reference);
  return width(now) > width(so_far) ? now : so_far;
}

}  // namespace mpq
