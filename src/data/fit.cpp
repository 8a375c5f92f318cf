#include "data/fit.h"

#include <optional>

#include "mpq/error.h"

#include "data/cast.h"
#include "graph/wording.h"

namespace mpq::data {
namespace {

[[noreturn]] void refuse(const std::string& what, const Origin& origin, const std::string& hint) {
  throw Error(ErrorCode::kInvalidInput, what, origin.where, hint);
}

Tensor as_type(const Tensor& tensor, const ValueInfo& input, const Origin& origin) {
  std::optional<CastLoss> loss;
  if (std::optional<Tensor> cast = cast_faithfully(tensor, input.dtype, loss)) return *cast;
  const std::string wanted = dtype_name(input.dtype);
  const std::string hint = "Save it as " + wanted + ": array.astype('" + wanted + "').";
  if (loss) {
    refuse(origin.what + " holds " + dtype_name(tensor.type()) + " numbers, of which element " +
               std::to_string(loss->element) + " is no " + wanted + ", the type of the model's input " +
               graph::in_quotes(input.name) + ".",
           origin, "Scale the data to what the model expects.");
  }
  refuse(origin.what + " holds " + dtype_name(tensor.type()) + " numbers, but the model's input " +
             graph::in_quotes(input.name) + " takes " + type_text(input) + ".",
         origin, hint);
}

void check_shape(const Tensor& tensor, const ValueInfo& input, const Origin& origin) {
  if (!input.has_rank) return;
  bool same = tensor.shape().size() == input.shape.size();
  for (std::size_t i = 0; same && i < input.shape.size(); ++i) {
    same = input.shape[i] < 0 || input.shape[i] == tensor.shape()[i];
  }
  if (same) return;
  const bool fixed_batch = tensor.shape().size() == input.shape.size() && !input.shape.empty() &&
                           tensor.shape()[0] == 1 && input.shape[0] > 1;
  refuse(origin.what + " has the shape " + shape_text(tensor.shape()) + ", but the model's input " +
             graph::in_quotes(input.name) + " takes " + type_text(input) + ".",
         origin,
         fixed_batch ? "The model's batch is fixed: give arrays of shape [samples, " + std::to_string(input.shape[0]) +
                           ", ...]."
                     : "Prepare the data as the model expects it.");
}

}  // namespace

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

std::string shape_text(const ValueInfo& info) {
  if (!info.has_rank) return "of any shape";
  std::string text = "[";
  for (std::size_t i = 0; i < info.shape.size(); ++i) {
    const bool named = i < info.symbols.size() && !info.symbols[i].empty();
    const std::string unknown = named ? graph::printable(info.symbols[i]) : "?";
    text += (i > 0 ? ", " : "") + (info.shape[i] >= 0 ? std::to_string(info.shape[i]) : unknown);
  }
  return text + "]";
}

std::string type_text(const ValueInfo& info) { return std::string(dtype_name(info.dtype)) + " " + shape_text(info); }

std::string type_text(DType type, const std::vector<std::int64_t>& shape) {
  return std::string(dtype_name(type)) + " " + shape_text(shape);
}

Tensor fit(const Tensor& tensor, const ValueInfo& input, const Origin& origin) {
  check_shape(tensor, input, origin);
  // Before the cast as well as after it: a cast to fewer bits must not be blamed for an infinity that was there before.
  if (const auto bad = first_non_finite(tensor)) {
    refuse(origin.what + " holds a NaN or an infinity (element " + std::to_string(*bad) + ").", origin,
           "Remove the sample, or repair how it is made.");
  }
  return as_type(tensor, input, origin);
}

}  // namespace mpq::data
