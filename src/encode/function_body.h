#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <onnx/onnx_pb.h>

#include "graph/scopes.h"

namespace mpq::encode {

using graph::kFunctionDomain;

/// Which operators a file may use: those of its operator set; in a portable one only those that ONNX Runtime 1.17 has
/// for the types in question.
struct Dialect {
  std::int64_t opset = 0;
  bool portable = false;

  Dialect(std::int64_t of_opset, bool is_portable = false) : opset(of_opset), portable(is_portable) {}
};

onnx::AttributeProto int_attribute(const std::string& name, std::int64_t value);
onnx::AttributeProto ints_attribute(const std::string& name, const std::vector<std::int64_t>& values);
onnx::AttributeProto string_attribute(const std::string& name, const std::string& value);
onnx::AttributeProto float_attribute(const std::string& name, float value);

/// Writes the body of one model-local function, node by node, in the dialect of one opset: where operators changed
/// between opsets, its methods write what that opset knows.
class FunctionBody {
 public:
  FunctionBody(std::int64_t opset, const std::string& name, const std::vector<std::string>& inputs,
               const std::string& output);

  std::int64_t opset() const { return opset_; }

  /// Appends a node and returns the name of its output.
  std::string op(const std::string& type, const std::vector<std::string>& inputs,
                 const std::vector<onnx::AttributeProto>& attributes = {});
  /// Adds an output to the last node and returns its name.
  std::string next_output_of_last();
  std::string cast(const std::string& value, onnx::TensorProto::DataType type);
  std::string reshape(const std::string& value, const std::string& shape) { return op("Reshape", {value, shape}); }
  /// Cuts axis 0 into parts of `rows`.
  std::vector<std::string> split(const std::string& value, const std::vector<std::int64_t>& rows);
  /// Elements [begin, end) along an axis; a negative end counts from behind.
  std::string slice(const std::string& value, std::int64_t axis, std::int64_t begin, std::int64_t end);
  /// Bits of bytes moved by `by`; `direction`: "LEFT" or "RIGHT". From opset 11 on.
  std::string bit_shift(const std::string& value, const std::string& by, const char* direction) {
    return op("BitShift", {value, by}, {string_attribute("direction", direction)});
  }
  /// Zeros before and behind every axis (all axes' counts before, then behind); a negative count takes off.
  std::string pad(const std::string& value, const std::vector<std::int64_t>& counts);
  /// The first elements of a flat value; the calling node's attribute `count` says how many.
  std::string head(const std::string& value, const std::string& count);

  std::string constant(const std::vector<std::int64_t>& values);
  std::string constant_bytes(const std::vector<std::uint8_t>& values, const std::vector<std::int64_t>& dims,
                             onnx::TensorProto::DataType type = onnx::TensorProto::UINT8);
  std::string constant_floats(const std::vector<float>& values, const std::vector<std::int64_t>& dims);

  /// The calling node's attribute as a value of the body: int64 numbers, or a float scalar.
  std::string integers_from(const std::string& attribute);
  std::string float_from(const std::string& attribute);
  /// The same for an int64 scalar; from opset 12 on.
  std::string integer_from(const std::string& attribute);
  /// `attribute` of the last node is taken from the calling node's attribute `source`.
  void bind_last(const std::string& attribute, onnx::AttributeProto::AttributeType type, const std::string& source);

  /// An attribute of the calling node that no node of the body need read.
  void declare(const std::string& attribute);

  /// Ends the function: `value` is what it returns.
  onnx::FunctionProto finish(const std::string& value);

 private:
  std::string next_name();
  std::string constant_tensor(onnx::TensorProto tensor);

  std::int64_t opset_;
  onnx::FunctionProto function_;
  int names_ = 0;
  std::map<std::string, std::string> constants_;  ///< names by content: equal ones are written once
};

/// The attribute of a calling node that FunctionBody::integers_from (or head) and float_from read at `opset`.
onnx::AttributeProto caller_integers(const std::string& name, const std::vector<std::int64_t>& values,
                                     std::int64_t opset);
onnx::AttributeProto caller_count(const std::string& name, std::int64_t value, std::int64_t opset);
onnx::AttributeProto caller_float(const std::string& name, float value, std::int64_t opset);

}  // namespace mpq::encode
