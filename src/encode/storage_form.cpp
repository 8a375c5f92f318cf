#include "encode/storage_form.h"

#include "mpq/error.h"

#include "quantize/grid.h"

namespace mpq::encode {

namespace {

constexpr std::int64_t kInt4Opset = 21;               // INT4 tensors
constexpr std::int64_t kBlockedDequantizeOpset = 21;  // DequantizeLinear with block_size

bool block_fits_kernels(int block) { return block >= 16 && block <= 256 && (block & (block - 1)) == 0; }

/// Why an integer kernel cannot run this candidate at a site where others can; empty when it can.
std::string candidate_obstacle(const Candidate& candidate, Dialect dialect) {
  if (dialect.portable) {
    return "older versions of ONNX Runtime multiply no float activations with integers, and the file is portable";
  }
  if (candidate.block == 0) return {};
  if (dialect.opset < kBlockedDequantizeOpset) {
    return "integer kernels need opset 21 for scales per block, and the model has opset " +
           std::to_string(dialect.opset);
  }
  if (!block_fits_kernels(candidate.block)) {
    return "integer kernels take blocks of 16, 32, 64, 128 or 256 weights, not " + std::to_string(candidate.block);
  }
  return {};
}

/// Sets the run form and all that follows from it.
void choose_run(const Layer& layer, const Candidate& candidate, Dialect dialect, const IntegerSite& site,
                StorageForm& form) {
  form.reason = site.reason;
  if (!site.possible) return;
  if (site.lookup) {
    form.run = StorageForm::Run::kLookup;
    return;
  }
  if (site.activations) {
    form.run = StorageForm::Run::kStatic;
    form.axis = layer.channel_axes.at(0);
    return;
  }
  form.reason = candidate_obstacle(candidate, dialect);
  if (!form.reason.empty()) return;
  constexpr int kWidestNibble = 4;
  const bool nibbles = !form.trellis && dialect.opset >= kInt4Opset && form.bits <= kWidestNibble;
  form.run = nibbles ? StorageForm::Run::kInt4 : StorageForm::Run::kInt8;
  form.transposed = site.transposed;
}

}  // namespace

StorageForm::Store store_of(const Candidate& candidate, std::int64_t opset) {
  if (candidate.form != "grid" || candidate.has_row_widths()) return StorageForm::Store::kPlanes;
  if (candidate.bits == 8) return StorageForm::Store::kInt8;
  if (candidate.bits == 4 && opset >= kInt4Opset) return StorageForm::Store::kInt4;
  return StorageForm::Store::kPlanes;
}

StorageForm storage_form(const Layer& layer, const Candidate& candidate, Dialect dialect, const IntegerSite& site) {
  if (!candidate.has_scales()) {
    throw Error(ErrorCode::kInternal, "Only grids and trellises have a storage form, not " + to_string(candidate) + ".",
                layer.name);
  }
  StorageForm form;
  form.bits = candidate.widest();
  form.block = candidate.block;
  form.dtype = layer.dtype;
  form.trellis = candidate.is_trellis();
  if (candidate.has_row_widths()) form.row_classes = row_classes_of(candidate);
  form.store = store_of(candidate, dialect.opset);
  form.unpacked = unpacked_type(dialect);
  choose_run(layer, candidate, dialect, site, form);
  constexpr std::int64_t kGroup = 8;
  form.tail = form.store == StorageForm::Store::kPlanes && layer.parameters % kGroup != 0;
  if (form.has_row_widths()) form.tail = rows_have_tail(layer, form);
  form.turned = (form.has_row_widths() || form.trellis) && is_turned(layer, form);
  return form;
}

std::string StorageForm::function_name() const {
  std::string name = "Unpack";
  for (const RowClass& alike : row_classes) name += std::to_string(alike.bits);
  name += (has_row_widths() ? "" : std::to_string(bits)) + "bit";
  if (has_row_widths()) name += "Mixed";
  if (trellis) name += "Trellis";
  if (turned) name += "Turned";
  if (block > 0) name += "Blocks";
  if (tail) name += "Tail";
  if (run == Run::kInt8) name += "Int8";
  if (run == Run::kInt4) name += "Int4";
  if (run == Run::kLookup) name += "Lookup";
  if (run == Run::kStatic) name += axis == 0 ? "Rows" : "Columns";
  if (dtype == "float16") name += "Half";
  if (dtype == "bfloat16") name += "BFloat16";
  if (dtype == "float64") name += "Double";
  return name;
}

std::string kernel_of_function(const std::string& function_name) {
  if (function_name.find("Int8") != std::string::npos) return "int8";
  return function_name.find("Int4") != std::string::npos ? "int4" : "";
}

std::vector<std::string> StorageForm::function_inputs() const {
  std::vector<std::string> inputs;
  for (const RowClass& alike : row_classes) inputs.push_back("packed" + std::to_string(alike.bits));
  if (!has_row_widths()) inputs.emplace_back("packed");
  inputs.emplace_back("scales");
  if (trellis) inputs.emplace_back("entries");
  if (has_row_widths()) inputs.emplace_back("rows");
  return inputs;
}

onnx::TensorProto::DataType element_type(const std::string& dtype) {
  if (dtype == "float32") return onnx::TensorProto::FLOAT;
  if (dtype == "float16") return onnx::TensorProto::FLOAT16;
  if (dtype == "bfloat16") return onnx::TensorProto::BFLOAT16;
  if (dtype == "float64") return onnx::TensorProto::DOUBLE;
  throw Error(ErrorCode::kInternal, "Weights of type '" + dtype + "' have no stored form.");
}

onnx::FunctionProto unpack_function(const StorageForm& form, std::int64_t opset) {
  if (form.run == StorageForm::Run::kLookup) return lookup_function(form, opset);
  return form.run == StorageForm::Run::kFolded ? folded_function(form, opset) : integer_function(form, opset);
}

std::string stored_numbers(FunctionBody& body, const StorageForm& form) {
  if (form.has_row_widths()) return join_rows(body, form);
  if (form.store != StorageForm::Store::kPlanes) return "packed";
  std::string numbers = form.trellis ? walk_trellis(body, form) : unpack(body, "packed", form.bits, form.unpacked);
  if (form.tail) numbers = body.head(body.reshape(numbers, body.constant({-1})), "count");
  if (form.trellis) return put_in_shape(body, numbers, form);
  const bool view = form.scales_broadcast() && form.block > 0;
  return body.reshape(numbers, body.integers_from(view ? "view" : "shape"));
}

bool numbers_are_floats(const StorageForm& form) {
  return form.store == StorageForm::Store::kPlanes && !form.trellis && form.unpacked == Unpacked::kFloat;
}

onnx::NodeProto unpack_node(const Layer& layer, const StorageForm& form, std::int64_t opset, float unit,
                            const std::vector<std::string>& inputs, const std::string& weight) {
  onnx::NodeProto node;
  node.set_op_type(form.function_name());
  node.set_domain(kFunctionDomain);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(weight);
  if (form.has_row_widths()) {
    add_row_attributes(layer, form, opset, node);
    *node.add_attribute() = caller_float("unit", unit, opset);
    return node;
  }
  const bool planes = form.store == StorageForm::Store::kPlanes;
  const bool folded = form.scales_broadcast();
  if (form.tail) *node.add_attribute() = caller_count("count", layer.parameters, opset);
  if (planes && folded && form.block > 0) {
    const auto layout = quant::scale_layout(layer, {form.bits, "grid", form.block});
    *node.add_attribute() = caller_integers("view", layout.view_shape, opset);
  }
  if (planes || (folded && form.block > 0)) add_shape_attributes(layer, form, opset, node);
  *node.add_attribute() = caller_float("unit", unit, opset);
  if (!folded && form.block > 0) *node.add_attribute() = int_attribute("block", form.block);
  return node;
}

}  // namespace mpq::encode
