#include <set>

#include <onnx/shape_inference/implementation.h>

#include "graph/types.h"
#include "graph/validate.h"
#include "graph/wording.h"

// What callers feed to a model and get from it.

namespace mpq::graph {

namespace {

using onnx::TypeProto;

std::string type_kind(const TypeProto& type) {
  switch (type.value_case()) {
    case TypeProto::kTensorType:
      return element_type_name(type.tensor_type().elem_type());
    case TypeProto::kSequenceType:
      return "sequence";
    case TypeProto::kMapType:
      return "map";
    case TypeProto::kOptionalType:
      return "optional";
    case TypeProto::kSparseTensorType:
      return "sparse tensor";
    case TypeProto::kOpaqueType:
      return "opaque type";
    case TypeProto::VALUE_NOT_SET:
      break;
  }
  return "value of unknown type";
}

bool is_usable_tensor(const TypeProto& type) {
  if (type.value_case() != TypeProto::kTensorType) return false;
  try {
    dtype_of(type.tensor_type().elem_type());
    return true;
  } catch (const Error&) {
    return false;
  }
}

ValueInfo value_info(const std::string& name, const TypeProto& type) {
  ValueInfo info;
  info.name = name;
  info.dtype = dtype_of(type.tensor_type().elem_type());
  info.has_rank = type.tensor_type().has_shape();
  for (const auto& dim : type.tensor_type().shape().dim()) {
    // Negative extents are an old way to say "unknown"; runtimes read them so.
    const bool fixed = dim.has_dim_value() && dim.dim_value() >= 0;
    info.shape.push_back(fixed ? dim.dim_value() : -1);
    info.symbols.push_back(dim.has_dim_param() ? printable(dim.dim_param()) : "");
  }
  return info;
}

bool lacks_type(const onnx::ValueInfoProto& value) {
  if (!value.has_type() || value.type().value_case() == TypeProto::VALUE_NOT_SET) return true;
  return value.type().value_case() == TypeProto::kTensorType && value.type().tensor_type().elem_type() == 0;
}

/// Outputs with the types ONNX's inference finds, for files that leave them out.
google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> typed_outputs(const onnx::ModelProto& model) {
  const auto& outputs = model.graph().output();
  bool complete = true;
  for (const auto& output : outputs) complete = complete && !lacks_type(output);
  if (complete) return outputs;
  onnx::ModelProto inferred = model;
  try {
    onnx::shape_inference::InferShapes(inferred);
  } catch (const std::exception&) {
    return outputs;  // what stays untyped is reported by name below
  }
  return inferred.graph().output();
}

}  // namespace

void describe_interface(Model::Impl& impl, const std::string& where) {
  const onnx::ModelProto& model = impl.proto;
  impl.producer = printable(model.producer_name());
  if (!model.producer_version().empty()) impl.producer += " " + printable(model.producer_version());
  impl.inputs.clear();
  impl.outputs.clear();
  std::set<std::string> initializers;
  for (const auto& tensor : model.graph().initializer()) initializers.insert(tensor.name());
  for (const auto& sparse : model.graph().sparse_initializer()) initializers.insert(sparse.values().name());
  for (const auto& input : model.graph().input()) {
    if (initializers.contains(input.name())) continue;
    if (lacks_type(input))
      invalid("The input " + in_quotes(input.name()) + " has no type.", where, "Export the model again.");
    if (!is_usable_tensor(input.type())) {
      unsupported("The input " + in_quotes(input.name()) + " is a " + type_kind(input.type()) +
                      "; mpq feeds tensors of the ordinary number types, bool and string.",
                  where);
    }
    impl.inputs.push_back(value_info(input.name(), input.type()));
  }
  std::set<std::string> seen;
  for (const auto& output : typed_outputs(model)) {
    if (!seen.insert(output.name()).second) continue;
    if (is_usable_tensor(output.type())) {
      impl.outputs.push_back(value_info(output.name(), output.type()));
    } else {
      impl.findings.push_back({"The output " + in_quotes(output.name()) + " is a " + type_kind(output.type()) +
                                   ", which mpq keeps in the model but does not measure.",
                               "Judge the model by its other outputs."});
    }
  }
  if (impl.outputs.empty()) {
    unsupported("No output of the model is a tensor of a type mpq can measure.", where,
                "Export it with a tensor output, for instance without the final ZipMap.");
  }
}

}  // namespace mpq::graph
