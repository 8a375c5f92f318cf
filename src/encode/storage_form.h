#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include "mpq/layer.h"

#include "encode/function_body.h"
#include "encode/integer_site.h"
#include "encode/planes.h"

namespace mpq::encode {

/// How a grid or trellis layer stands in the file and what it becomes when the model is loaded.
struct StorageForm {
  enum class Store { kPlanes, kInt8, kInt4 };  ///< packed bytes, or a tensor of the type itself
  /// folded to floats at load; feeding a kernel that multiplies float activations with integers; or one whose
  /// activations are integers too; or a table of integers whose rows become floats when they are looked up
  enum class Run { kFolded, kInt8, kInt4, kStatic, kLookup };

  int bits = 0;
  int block = 0;
  Store store = Store::kPlanes;
  Run run = Run::kFolded;
  bool tail = false;                    ///< the packed planes hold more elements than the weight has
  bool transposed = false;              ///< written as [K, N] where the model holds [N, K]
  std::string dtype;                    ///< of the weight, as the model stores it
  std::string reason = {};              ///< why not on an integer kernel where that was asked for
  int axis = 1;                         ///< of the scales per channel, where an integer kernel reads them
  bool trellis = false;                 ///< the packed numbers are steps along a trellis (quantize/trellis.h)
  Unpacked unpacked = Unpacked::kInt8;  ///< what unpacking the planes gives
  /// Where rows have widths of their own: how many have which, by rising width; `bits` is then the widest. A tensor of
  /// packed numbers for each width.
  struct RowClass {
    int bits = 0;
    std::int64_t rows = 0;
  };
  std::vector<RowClass> row_classes = {};
  bool turned = false;  ///< the numbers lie by other axes than the weight's own (turned_axes.cpp)

  bool has_row_widths() const { return !row_classes.empty(); }
  /// The scales broadcast to the weight, or to its view in blocks; else they lie as DequantizeLinear takes them.
  bool scales_broadcast() const { return run == Run::kFolded || run == Run::kLookup; }
  /// Name of the model-local function that unpacks it: "Unpack3bit", "Unpack4bitBlocksInt4", "Unpack3bitTrellis",
  /// "Unpack245bitMixed", ...
  std::string function_name() const;
  /// Names of the function's inputs: "packed", "scales" and, with a trellis, "entries"; with widths of rows
  /// "packed2", "packed4", ... of every width, "scales" and "rows".
  std::vector<std::string> function_inputs() const;
};

/// The integer kernel that a layer with this function feeds ("Unpack8bitInt8" -> "int8"); empty for none.
std::string kernel_of_function(const std::string& function_name);

/// How the numbers of `candidate` (a grid or trellis) stand in a model of `opset`.
StorageForm::Store store_of(const Candidate& candidate, std::int64_t opset);

/// The form for `candidate` (a grid or trellis) of `layer`; `site` says whether an integer kernel can run it.
StorageForm storage_form(const Layer& layer, const Candidate& candidate, Dialect dialect, const IntegerSite& site);

/// The function that turns packed numbers and scales into the weight.
onnx::FunctionProto unpack_function(const StorageForm& form, std::int64_t opset);
onnx::FunctionProto folded_function(const StorageForm& form, std::int64_t opset);   // form_folded.cpp
onnx::FunctionProto integer_function(const StorageForm& form, std::int64_t opset);  // form_integer.cpp
onnx::FunctionProto lookup_function(const StorageForm& form, std::int64_t opset);   // form_lookup.cpp

/// What turns rows of integers that were looked up into floats; `blocks`: each row has several scales.
onnx::FunctionProto scale_rows_function(bool blocks, std::int64_t opset);  // form_lookup.cpp
/// The node that calls it behind `lookup`, whose output is to be called `integers`; `blocks`: how many scales a row
/// has, 0 for one.
onnx::NodeProto scale_rows_node(const onnx::NodeProto& lookup, const std::string& integers, const std::string& scales,
                                float unit, std::int64_t blocks, std::int64_t opset);
std::int64_t blocks_of_row(const Layer& layer, const StorageForm& form);  ///< for scale_rows_node
/// The Gather that reads the weight. Throws Error{kInternal} where there is none.
onnx::NodeProto& lookup_of(onnx::GraphProto& graph, const std::string& weight);

/// Writes the nodes that bring the stored numbers into the weight's shape (folded blocks: their view): integers, as
/// floats where unpacking or the tensor gives that.
std::string stored_numbers(FunctionBody& body, const StorageForm& form);
/// Whether stored_numbers gives floats.
bool numbers_are_floats(const StorageForm& form);

/// Writes the nodes that follow the packed steps along the trellis: int8 numbers as they lie in the file.
std::string walk_trellis(FunctionBody& body, const StorageForm& form);  // form_trellis.cpp

// turned_axes.cpp
bool is_turned(const Layer& layer, const StorageForm& form);
/// What put_in_shape reads from the calling node.
void add_shape_attributes(const Layer& layer, const StorageForm& form, std::int64_t opset, onnx::NodeProto& node);
/// Writes the nodes that bring flat numbers into the shape of the weight as it is written.
std::string put_in_shape(FunctionBody& body, const std::string& numbers, const StorageForm& form);

// form_rows.cpp
std::int64_t row_count(const StorageForm& form);
std::int64_t row_length(const Layer& layer, const StorageForm& form);  ///< weights per row
/// How many rows have which of the candidate's widths.
std::vector<StorageForm::RowClass> row_classes_of(const Candidate& candidate);
/// Whether the planes of some width hold more elements than there are.
bool rows_have_tail(const Layer& layer, const StorageForm& form);
/// What join_rows reads from the calling node.
void add_row_attributes(const Layer& layer, const StorageForm& form, std::int64_t opset, onnx::NodeProto& node);
/// Writes the nodes that put a weight together from rows of several widths: integers as unpack gives them, in the
/// weight's shape.
std::string join_rows(FunctionBody& body, const StorageForm& form);

/// The node that calls it: reads `inputs` (see function_inputs), writes `weight`.
onnx::NodeProto unpack_node(const Layer& layer, const StorageForm& form, std::int64_t opset, float unit,
                            const std::vector<std::string>& inputs, const std::string& weight);

/// ONNX's number for a dtype as Layer names it.
onnx::TensorProto::DataType element_type(const std::string& dtype);

}  // namespace mpq::encode
