#include "execute/rows.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "mpq/error.h"
#include "mpq/executor.h"

namespace mpq::executing {
namespace {

std::size_t row_bytes(const Tensor& tensor) {
  return tensor.shape()[0] > 0 ? tensor.size_bytes() / static_cast<std::size_t>(tensor.shape()[0]) : 0;
}

std::vector<std::int64_t> with_rows(std::vector<std::int64_t> shape, std::int64_t rows) {
  shape[0] = rows;
  return shape;
}

}  // namespace

Feed rows_of(const Feed& feed, std::int64_t first, std::int64_t count) {
  Feed result;
  for (const auto& [name, tensor] : feed) {
    Tensor part(tensor.type(), with_rows(tensor.shape(), count));
    if (part.size_bytes() > 0)
      std::memcpy(part.mutable_data(), tensor.data() + static_cast<std::size_t>(first) * row_bytes(tensor), part.size_bytes());
    result.emplace(name, std::move(part));
  }
  return result;
}

Feed under_each_other(const std::vector<Feed>& parts, const std::vector<std::int64_t>& rows) {
  const std::int64_t total = std::accumulate(rows.begin(), rows.end(), std::int64_t{0});
  Feed result;
  for (const auto& [name, first] : parts.at(0)) {
    if (first.shape().empty()) throw Error(ErrorCode::kUnsupported, "The output " + name + " has no rows to put together.");
    Tensor whole(first.type(), with_rows(first.shape(), total));
    std::size_t offset = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const Tensor& part = parts[i].at(name);
      if (part.type() != first.type() || part.shape() != with_rows(first.shape(), rows[i]))
        throw Error(ErrorCode::kUnsupported, "The output " + name + " has not as many rows as the inputs: the batch cannot be split.");
      if (part.size_bytes() > 0) std::memcpy(whole.mutable_data() + offset, part.data(), part.size_bytes());
      offset += part.size_bytes();
    }
    result.emplace(name, std::move(whole));
  }
  return result;
}

std::vector<std::int64_t> divide_rows(std::int64_t rows, const std::vector<std::int64_t>& shares) {
  const std::int64_t total = std::accumulate(shares.begin(), shares.end(), std::int64_t{0});
  std::vector<std::int64_t> result, remainder;
  for (const std::int64_t share : shares) {
    result.push_back(rows * share / total);
    remainder.push_back(rows * share % total);
  }
  for (std::int64_t left = rows - std::accumulate(result.begin(), result.end(), std::int64_t{0}); left > 0; --left) {
    const auto largest = std::max_element(remainder.begin(), remainder.end());
    ++result[static_cast<std::size_t>(largest - remainder.begin())];
    *largest = -1;
  }
  return result;
}

}  // namespace mpq::executing

namespace mpq {

std::int64_t divisible_rows(const Model& model, const Feed& inputs) {
  const auto open = [](const ValueInfo& value) { return value.has_rank && !value.shape.empty() && value.shape[0] < 0; };
  if (!std::all_of(model.inputs().begin(), model.inputs().end(), open)) return 0;
  if (!std::all_of(model.outputs().begin(), model.outputs().end(), open)) return 0;
  std::int64_t rows = 0;
  for (const ValueInfo& input : model.inputs()) {
    const auto found = inputs.find(input.name);
    if (found == inputs.end() || found->second.shape().empty()) return 0;
    const std::int64_t here = found->second.shape()[0];
    if (rows != 0 && here != rows) return 0;
    rows = here;
  }
  return rows;
}

}  // namespace mpq
