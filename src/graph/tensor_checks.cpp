#include "graph/tensor_checks.h"

#include <cstring>
#include <limits>
#include <optional>

#include "graph/types.h"
#include "graph/wording.h"

namespace mpq::graph {

namespace {

using onnx::TensorProto;

const char* field_name(TensorField field) {
  switch (field) {
    case TensorField::kRaw:
      return "raw_data";
    case TensorField::kFloat:
      return "float_data";
    case TensorField::kInt32:
      return "int32_data";
    case TensorField::kInt64:
      return "int64_data";
    case TensorField::kDouble:
      return "double_data";
    case TensorField::kUint64:
      return "uint64_data";
  }
  return "?";
}

/// The typed field an element type belongs into (onnx.proto, the comments of TensorProto's fields).
TensorField typed_field_of(int type) {
  switch (type) {
    case TensorProto::FLOAT:
    case TensorProto::COMPLEX64:
      return TensorField::kFloat;
    case TensorProto::DOUBLE:
    case TensorProto::COMPLEX128:
      return TensorField::kDouble;
    case TensorProto::INT64:
      return TensorField::kInt64;
    case TensorProto::UINT32:
    case TensorProto::UINT64:
      return TensorField::kUint64;
    default:
      return TensorField::kInt32;
  }
}

std::int64_t typed_entries(const TensorProto& tensor, TensorField field) {
  switch (field) {
    case TensorField::kFloat:
      return tensor.float_data_size();
    case TensorField::kInt32:
      return tensor.int32_data_size();
    case TensorField::kInt64:
      return tensor.int64_data_size();
    case TensorField::kDouble:
      return tensor.double_data_size();
    case TensorField::kUint64:
      return tensor.uint64_data_size();
    case TensorField::kRaw:
      break;
  }
  return 0;
}

/// Entries the typed field needs: two per complex number, one per byte of packed types, else one per element.
std::int64_t expected_entries(int type, std::int64_t elements, std::int64_t raw) {
  if (type == TensorProto::COMPLEX64 || type == TensorProto::COMPLEX128) return elements * 2;
  return element_bits(type) < 8 ? raw : elements;
}

/// One tensor, its name in messages and the file it came from.
struct Subject {
  const TensorProto& tensor;
  const std::string& label;
  const std::string& where;
};

[[noreturn]] void wrong_size(const Subject& subject, const std::string& holds, const std::string& needs) {
  invalid("The data of " + subject.label + " do not fit its dims and type " +
              element_type_name(subject.tensor.data_type()) + ": it holds " + holds + ", and " + needs + " are needed.",
          subject.where, "The file is damaged or was edited; export the model again.");
}

void check_type(const Subject& subject) {
  const int type = subject.tensor.data_type();
  if (type <= TensorProto::UNDEFINED) {
    invalid("The element type of " + subject.label + " is undefined.", subject.where);
  }
  if (element_bits(type) == 0 && type != TensorProto::STRING) {
    unsupported("The element type of " + subject.label + " has the number " + std::to_string(type) +
                    ", which is none of ONNX IR version 13.",
                subject.where);
  }
}

std::int64_t checked_elements(const Subject& subject) {
  for (const std::int64_t extent : subject.tensor.dims()) {
    if (extent < 0) {
      invalid("The dims of " + subject.label + " hold " + std::to_string(extent) + ", a negative extent.",
              subject.where);
    }
  }
  const auto elements = safe_element_count(subject.tensor.dims());
  if (!elements) invalid("The dims of " + subject.label + " multiply to more than 2^63 elements.", subject.where);
  return *elements;
}

void check_strings(const Subject& subject, std::int64_t elements) {
  const int fields = filled_fields(subject.tensor);
  const bool strings_only = fields == 0 || (fields == 1 && !subject.tensor.string_data().empty());
  if (!strings_only || in_store(subject.tensor)) {
    invalid("Numbers stand in " + subject.label + ", whose type is string.", subject.where);
  }
  if (subject.tensor.string_data_size() != elements) {
    wrong_size(subject, std::to_string(subject.tensor.string_data_size()) + " strings", std::to_string(elements));
  }
}

void check_inline(const Subject& subject, std::int64_t elements, std::int64_t raw) {
  const TensorProto& tensor = subject.tensor;
  if (filled_fields(tensor) > 1) {
    invalid("The data of " + subject.label + " stand in several fields at once.", subject.where,
            "A tensor holds its numbers in one field; export the model again.");
  }
  if (!tensor.string_data().empty())
    invalid("Strings stand in " + subject.label + ", whose type is " + element_type_name(tensor.data_type()) + ".",
            subject.where);
  const TensorField field = data_field(tensor);
  if (field == TensorField::kRaw) {
    const auto size = static_cast<std::int64_t>(tensor.raw_data().size());
    if (size == 0 && raw != 0) {
      invalid("The data of " + subject.label + " are missing: its dims ask for " + std::to_string(elements) +
                  " elements, and it holds none.",
              subject.where, "The model was saved without its weights; export it again.");
    }
    if (size != raw) wrong_size(subject, std::to_string(size) + " bytes", std::to_string(raw));
    return;
  }
  if (field != typed_field_of(tensor.data_type())) {
    invalid("The data of " + subject.label + " stand in " + field_name(field) + ", where no " +
                element_type_name(tensor.data_type()) + " belongs.",
            subject.where);
  }
  const std::int64_t entries = typed_entries(tensor, field);
  const std::int64_t expected = expected_entries(tensor.data_type(), elements, raw);
  if (entries != expected) {
    wrong_size(subject, std::to_string(entries) + " entries of " + field_name(field), std::to_string(expected));
  }
}

/// The positions a sparse tensor's indices name: one linear index per value, or one index per value and axis.
void check_indices(const onnx::SparseTensorProto& sparse, std::int64_t values, std::int64_t dense,
                   const std::string& label, const TensorStore& store, const std::string& where) {
  const TensorProto& indices = sparse.indices();
  const bool linear = indices.dims_size() == 1 && indices.dims(0) == values;
  const bool per_axis = indices.dims_size() == 2 && indices.dims(0) == values && indices.dims(1) == sparse.dims_size();
  if (indices.data_type() != TensorProto::INT64 || (!linear && !per_axis)) {
    invalid("The indices of " + label + " are neither one int64 per value nor one per value and axis.", where);
  }
  std::string scratch;
  const std::span<const std::byte> bytes = raw_bytes(indices, store, scratch);
  for (std::size_t i = 0; i * sizeof(std::int64_t) < bytes.size(); ++i) {
    std::int64_t index = 0;
    std::memcpy(&index, bytes.data() + i * sizeof index, sizeof index);
    const std::int64_t bound =
        linear ? dense : sparse.dims(static_cast<int>(i % static_cast<std::size_t>(sparse.dims_size())));
    if (index < 0 || index >= bound) {
      invalid("An index of " + label + " is " + std::to_string(index) + ", outside of its dims.", where);
    }
  }
}

}  // namespace

std::string tensor_label(const TensorProto& tensor, const TensorPlace& place) {
  if (place.attribute == nullptr) {
    const std::string kind = place.sparse ? "the sparse initializer" : "the initializer";
    return tensor.name().empty() ? kind + " without a name" : kind + " " + in_quotes(tensor.name());
  }
  const std::string kind = place.sparse ? "the sparse tensor of attribute " : "the tensor of attribute ";
  const std::string owner = place.node == nullptr ? "of a local function" : "of " + node_label(*place.node);
  return kind + in_quotes(place.attribute->name()) + " " + owner;
}

void check_tensor(const TensorProto& tensor, const std::string& label, const TensorStore& store,
                  const std::string& where) {
  const Subject subject{tensor, label, where};
  check_type(subject);
  const std::int64_t elements = checked_elements(subject);
  if (tensor.data_type() == TensorProto::STRING) return check_strings(subject, elements);
  const auto raw = raw_data_bytes(tensor.data_type(), elements);
  if (!raw) invalid("The dims of " + label + " multiply to more than 2^63 bytes.", where);
  if (in_store(tensor)) {
    const auto size = static_cast<std::int64_t>(store.bytes(store_index(tensor)).size());
    if (size != *raw) wrong_size(subject, std::to_string(size) + " bytes", std::to_string(*raw));
    return;
  }
  if (tensor.data_location() == TensorProto::EXTERNAL) {
    throw Error(ErrorCode::kInternal, "The external data of " + label + " were not brought in.", where);
  }
  check_inline(subject, elements, *raw);
}

void check_sparse_tensor(const onnx::SparseTensorProto& sparse, const TensorStore& store, const std::string& where) {
  const TensorProto& values = sparse.values();
  const std::string label = "the sparse tensor " + in_quotes(values.name());
  if (values.dims_size() != 1)
    invalid("The values of " + label + " are not a list: they need exactly one extent.", where);
  const auto dense = safe_element_count(sparse.dims());
  if (sparse.dims_size() == 0 || !dense || *dense == 0) {
    invalid("The dims of " + label + " are missing, not positive, or multiply to more than 2^63 elements.", where);
  }
  const auto dense_bytes = raw_data_bytes(values.data_type(), *dense);
  if (!dense_bytes || *dense_bytes > std::numeric_limits<std::int32_t>::max()) {
    unsupported("The dense form of " + label + " would take more than 2 GiB, or has no fixed element size.", where);
  }
  if (sparse.has_indices() || values.dims(0) != 0) check_indices(sparse, values.dims(0), *dense, label, store, where);
}

}  // namespace mpq::graph
