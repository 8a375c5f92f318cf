#include <algorithm>

#include "encode/storage_form.h"

namespace mpq::encode {

// Rows (output channels) of several widths, in every run form: those of each width are packed by themselves, and two
// bits per row say which width it has.
//
//   Before: packed -> unpack -> Reshape shape -> ...
//
//   After:  packed2 -> unpack -> Reshape [-1, row] --+
//           packed3 -> unpack -> Reshape [-1, row] --+-> Concat --------------------------+
//           packed5 -> unpack -> Reshape [-1, row] --+                                     |
//           rows (2 bits each) -> unpack -> TopK smallest: which row stands at each place  |
//             -> TopK smallest of those: the place of each row ----------------------------+-> Gather
//             -> Reshape shape, or Reshape [rows, ...] -> Transpose -> ...
//
// TopK puts equal numbers in the order of their indices, so that the first one lists the rows by width and the second
// one is its inverse. What pads the last byte of `rows` has the highest number and stands behind all rows.

std::int64_t row_count(const StorageForm& form) {
  std::int64_t rows = 0;
  for (const StorageForm::RowClass& alike : form.row_classes) rows += alike.rows;
  return rows;
}

std::int64_t row_length(const Layer& layer, const StorageForm& form) { return layer.parameters / row_count(form); }

namespace {

/// Indices of the `count` smallest numbers of a flat value, in their order.
std::string order_of(FunctionBody& body, const std::string& numbers, const std::string& count) {
  body.op("TopK", {numbers, count}, {int_attribute("largest", 0)});
  return body.next_output_of_last();
}

}  // namespace

std::vector<StorageForm::RowClass> row_classes_of(const Candidate& candidate) {
  std::vector<StorageForm::RowClass> classes;
  for (int width = candidate.narrowest(); width <= candidate.widest(); ++width) {
    const auto rows = std::count(candidate.row_bits.begin(), candidate.row_bits.end(), width);
    if (rows > 0) classes.push_back({width, rows});
  }
  return classes;
}

bool rows_have_tail(const Layer& layer, const StorageForm& form) {
  constexpr std::int64_t kGroup = 8;
  const std::int64_t length = row_length(layer, form);
  return std::any_of(form.row_classes.begin(), form.row_classes.end(),
                     [&](const StorageForm::RowClass& alike) { return alike.rows * length % kGroup != 0; });
}

void add_row_attributes(const Layer& layer, const StorageForm& form, std::int64_t opset, onnx::NodeProto& node) {
  const std::int64_t length = row_length(layer, form);
  *node.add_attribute() = caller_integers("row", {-1, length}, opset);
  *node.add_attribute() = caller_integers("rows", {row_count(form)}, opset);
  for (const StorageForm::RowClass& alike : form.row_classes) {
    if (form.tail) {
      *node.add_attribute() = caller_count("count" + std::to_string(alike.bits), alike.rows * length, opset);
    }
  }
  add_shape_attributes(layer, form, opset, node);
}

std::string join_rows(FunctionBody& body, const StorageForm& form) {
  const std::string row = body.integers_from("row");
  std::vector<std::string> parts;
  for (const StorageForm::RowClass& alike : form.row_classes) {
    const std::string width = std::to_string(alike.bits);
    std::string numbers = unpack(body, "packed" + width, alike.bits, form.unpacked);
    if (form.tail) numbers = body.head(body.reshape(numbers, body.constant({-1})), "count" + width);
    parts.push_back(body.reshape(numbers, row));
  }
  const std::string joined = body.op("Concat", parts, {int_attribute("axis", 0)});
  const std::string codes = unpack_codes(body, "rows", kRowClassBits, form.unpacked);
  const std::string classes = body.reshape(codes, body.constant({-1}));
  const std::string count = body.integers_from("rows");
  const std::string order = order_of(body, body.cast(classes, onnx::TensorProto::FLOAT), count);
  const std::string all = body.op("Gather", {joined, order_of(body, order, count)});
  return put_in_shape(body, all, form);
}

}  // namespace mpq::encode
