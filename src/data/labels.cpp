#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mpq/error.h"
#include "mpq/samples.h"

#include "data/cast.h"
#include "data/fit.h"
#include "data/npy.h"

namespace mpq {

std::vector<std::int64_t> load_labels(const std::string& path) {
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorCode::kInvalidInput, what, path,
                "Labels are a one-dimensional integer array: the true class of every sample.");
  };
  const data::NpyArray array = data::open_npy(path);
  if (array.shape.size() != 1 || data::is_floating(array.type)) {
    refuse("The labels are a " + data::type_text(array.type, array.shape) + " array.");
  }
  std::optional<data::CastLoss> loss;
  const std::optional<Tensor> labels = data::cast_faithfully(data::whole(array), DType::kInt64, loss);
  if (!labels) refuse("Label " + std::to_string(loss ? loss->element : 0) + " is no class number.");
  const auto values = labels->as<std::int64_t>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] < 0) refuse("Label " + std::to_string(i) + " is " + std::to_string(values[i]) + ".");
  }
  return {values.begin(), values.end()};
}

}  // namespace mpq
