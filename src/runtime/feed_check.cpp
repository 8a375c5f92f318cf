#include "runtime/feed_check.h"

#include "mpq/error.h"

namespace mpq::runtime {
namespace {

template <typename Item>
std::string bracketed(std::size_t count, Item item) {
  std::string text = "[";
  for (std::size_t i = 0; i < count; ++i) text += (i > 0 ? ", " : "") + item(i);
  return text + "]";
}

bool accepts(const ValueInfo& input, const Tensor& tensor) {
  if (tensor.type() != input.dtype) return false;
  if (!input.has_rank) return true;
  if (tensor.shape().size() != input.shape.size()) return false;
  for (std::size_t i = 0; i < input.shape.size(); ++i) {
    if (input.shape[i] >= 0 && input.shape[i] != tensor.shape()[i]) return false;
  }
  return true;
}

}  // namespace

std::string to_text(const ValueInfo& info) {
  const std::string type = dtype_name(info.dtype);
  if (!info.has_rank) return type + " of any shape";
  return type + " " + bracketed(info.shape.size(), [&](std::size_t i) -> std::string {
           if (info.shape[i] >= 0) return std::to_string(info.shape[i]);
           const bool named = i < info.symbols.size() && !info.symbols[i].empty();
           return named ? info.symbols[i] : "?";
         });
}

std::string to_text(const Tensor& tensor) {
  return std::string(dtype_name(tensor.type())) + " " +
         bracketed(tensor.shape().size(), [&](std::size_t i) { return std::to_string(tensor.shape()[i]); });
}

const Tensor& fed_tensor(const ValueInfo& input, const Feed& feed) {
  if (input.dtype == DType::kString) {
    throw Error(ErrorCode::kUnsupported,
                "The model's input '" + input.name + "' takes strings or is no plain tensor, which mpq cannot feed.",
                input.name, "Cut the model behind its text preprocessing.");
  }
  const auto found = feed.find(input.name);
  if (found == feed.end()) {
    throw Error(ErrorCode::kInvalidInput,
                "The model's input '" + input.name + "' was not fed; it takes " + to_text(input) + ".", input.name);
  }
  if (!accepts(input, found->second)) {
    throw Error(ErrorCode::kInvalidInput,
                "The model's input '" + input.name + "' takes " + to_text(input) + " but was fed " +
                    to_text(found->second) + ".",
                input.name);
  }
  return found->second;
}

}  // namespace mpq::runtime
