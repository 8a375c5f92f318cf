#include <algorithm>

#include "encode/storage_form.h"
#include "quantize/trellis.h"

namespace mpq::encode {

// Numbers that lie in the file by other axes than the weight's own: rows of several widths row by row, trellises with
// the output channels side by side.
//
//   Before: numbers -> Reshape shape -> ...
//
//   After:  numbers -> Reshape turned -> Transpose perm -> ...

namespace {

/// Axes of the weight in the order in which its numbers lie in the file.
std::vector<int> stored_axes(const Layer& layer, const StorageForm& form) {
  if (form.trellis) return quant::trellis_axes(layer);
  std::vector<int> axes(layer.channel_axes.begin(), layer.channel_axes.end());
  for (int axis = 0; axis < static_cast<int>(layer.shape.size()); ++axis) {
    if (std::find(axes.begin(), axes.end(), axis) == axes.end()) axes.push_back(axis);
  }
  return axes;
}

/// Where each axis of the weight as it is written stands among the stored ones.
std::vector<std::int64_t> permutation(const Layer& layer, const StorageForm& form) {
  const std::vector<int> axes = stored_axes(layer, form);
  std::vector<std::int64_t> places(axes.size());
  for (std::size_t place = 0; place < axes.size(); ++place) {
    places[static_cast<std::size_t>(axes[place])] = static_cast<std::int64_t>(place);
  }
  if (form.transposed) std::swap(places.at(0), places.at(1));
  return places;
}

}  // namespace

bool is_turned(const Layer& layer, const StorageForm& form) {
  const std::vector<std::int64_t> places = permutation(layer, form);
  return !std::is_sorted(places.begin(), places.end());
}

void add_shape_attributes(const Layer& layer, const StorageForm& form, std::int64_t opset, onnx::NodeProto& node) {
  if (!form.turned) {
    std::vector<std::int64_t> shape = layer.shape;
    if (form.transposed) std::swap(shape.at(0), shape.at(1));
    *node.add_attribute() = caller_integers("shape", shape, opset);
    return;
  }
  std::vector<std::int64_t> turned;
  for (const int axis : stored_axes(layer, form)) turned.push_back(layer.shape[static_cast<std::size_t>(axis)]);
  *node.add_attribute() = caller_integers("turned", turned, opset);
  *node.add_attribute() = ints_attribute("perm", permutation(layer, form));
}

std::string put_in_shape(FunctionBody& body, const std::string& numbers, const StorageForm& form) {
  if (!form.turned) return body.reshape(numbers, body.integers_from("shape"));
  const std::string turned = body.op("Transpose", {body.reshape(numbers, body.integers_from("turned"))});
  body.bind_last("perm", onnx::AttributeProto::INTS, "perm");
  return turned;
}

}  // namespace mpq::encode
