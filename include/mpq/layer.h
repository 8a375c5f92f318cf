#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mpq {

/// One place where a weight enters an operator.
struct WeightUse {
  std::string node;   ///< name of the consuming node (made unique when the file leaves it empty)
  std::string op;     ///< operator type: "Conv", "MatMul", ...
  int input = 1;      ///< which input of the node
  std::string graph;  ///< "" for the main graph, else the path of the subgraph: "If_0/then_branch"
};

/// One decision of the allocator: a stored constant weight and every node that uses it.
/// A weight shared by several nodes is one layer. Layers that cannot be quantized are listed too, with a reason.
struct Layer {
  std::string name;    ///< unique; the name of the first node that uses the weight, disambiguated
  std::string op;      ///< operator of the first use; "Constant" where no known operator is reached
  std::string weight;  ///< the initializer's or Constant output's name as it stands in the file
  std::string graph;   ///< where the weight is stored: "" main graph, else subgraph path
  std::string dtype;   ///< "float32", "float16", "bfloat16", "float64" as stored
  std::vector<std::int64_t> shape;
  std::int64_t parameters = 0;
  /// Axes along which every index has its own scale (output channels; for a batched MatMul also the batch axes).
  std::vector<int> channel_axes;
  /// The axis along which blocks of weights may share a scale; -1 where blocks make no sense.
  int block_axis = -1;
  std::vector<WeightUse> uses;
  /// Empty when the layer can be quantized; else one sentence that says why not.
  std::string skip_reason;

  bool quantizable() const { return skip_reason.empty(); }
};

/// One way to store a layer's weights. Plain data: no interface may assume one width per layer, so
/// everything downstream goes by bytes and damage, never by `bits` alone.
struct Candidate {
  int bits = 32;  ///< nominal width: 2..8, 16 (half floats), 32 (left as it is)
  /// "grid": integers with scales; "trellis": 2^(bits + 1) numbers free per layer, of which the weights before say
  /// which half is open, with scales (docs/storage-forms.md); "half": 16-bit floats; "float": left as it is.
  std::string form = "float";
  int block = 0;  ///< grid only: weights per scale along Layer::block_axis; 0 = one scale per channel
  /// Plain grids only: the mean width of the rows, in tenths of a bit, where they have widths of their own; else 0.
  int row_tenths = 0;
  /// Then the width of every row (a combination of indices of Layer::channel_axes, in C order), 2..8, of two to
  /// kMostRowWidths kinds; `bits` is their mean, rounded. Empty where only the name is known (parse_candidate).
  std::vector<std::uint8_t> row_bits = {};

  /// Stored as small integers with scales: the forms that are rounded.
  bool has_scales() const { return form == "grid" || is_trellis(); }
  bool is_trellis() const { return form == "trellis"; }
  /// How many numbers a trellis chooses among; 0 for other forms.
  int entries() const { return is_trellis() ? 2 << bits : 0; }
  bool has_row_widths() const { return row_tenths > 0; }
  /// The width of the narrowest and of the widest row.
  int narrowest() const;
  int widest() const;
  bool operator==(const Candidate&) const = default;
};
inline constexpr std::size_t kMostRowWidths = 4;

/// A plain grid whose rows have these widths. Throws Error{kInternal} where no file can hold them.
Candidate row_candidate(std::vector<std::uint8_t> row_bits);

/// Short stable name, one per candidate of a layer: "4bit", "4bit/b32", "4bit/trellis", "3.5bit/rows",
/// "half", "float".
std::string to_string(const Candidate& candidate);
/// Inverse of to_string, except that the widths of single rows are not in the name. Throws Error{kUsage}.
Candidate parse_candidate(const std::string& text);

/// Bytes of the stored numbers of `layer` as `candidate`: packed integers (padded to whole groups of eight for every
/// width), half-precision scales, entries of trellises, a byte each, and two bits per row that say its width; names and
/// protobuf framing are not counted here. Exact.
std::int64_t stored_bytes(const Layer& layer, const Candidate& candidate);

}  // namespace mpq
