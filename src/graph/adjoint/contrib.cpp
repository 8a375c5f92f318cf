#include "graph/adjoint/contrib.h"

#include <cmath>
#include <unordered_map>

#include "graph/weight_roles.h"

namespace mpq::graph::adjoint {

namespace {

/// One node being written out.
class Writer {
 public:
  Writer(const onnx::NodeProto& written, Builder& builder) : node(written), b(builder) {}

  bool has(int input) const { return input < node.input_size() && !node.input(input).empty(); }
  const std::string& in(int input) const { return node.input(input); }
  const onnx::AttributeProto* attribute(const char* name) const {
    for (const auto& known : node.attribute()) {
      if (known.name() == name) return &known;
    }
    return nullptr;
  }
  std::int64_t integer(const char* name, std::int64_t fallback) const { return int_attribute(node, name, fallback); }
  float real(const char* name, float fallback) const { return float_attribute(node, name, fallback); }
  /// `value` and an input that may be missing, added.
  std::string plus(const std::string& value, int input) { return has(input) ? b.add(value, in(input)) : value; }
  /// Appends the node under another name, with these attributes only.
  std::string standard(const char* op, const std::vector<std::string>& inputs,
                       const std::vector<std::string>& attributes) {
    const std::string value = b.emit(op, inputs);
    onnx::NodeProto& written = b.last_node();
    for (const std::string& name : attributes) {
      if (const auto* known = attribute(name.c_str())) *written.add_attribute() = *known;
    }
    return value;
  }

  const onnx::NodeProto& node;
  Builder& b;
};

using Values = std::vector<std::string>;

std::string gelu_of(Builder& b, const std::string& x) {
  const std::string erf = b.emit("Erf", {b.scaled(x, std::sqrt(0.5))});
  return b.scaled(b.mul(x, b.add(erf, b.number(1))), 0.5);
}

Values gelu(Writer& w) { return {gelu_of(w.b, w.in(0))}; }
Values bias_gelu(Writer& w) { return {gelu_of(w.b, w.plus(w.in(0), 1))}; }

/// By tanh; the constants are the operator's.
Values fast_gelu(Writer& w) {
  Builder& b = w.b;
  const std::string x = w.plus(w.in(0), 1);
  const std::string cube = b.mul(b.mul(x, x), x);
  const std::string inner = b.scaled(b.add(x, b.scaled(cube, 0.044715)), 0.7978845608028654);
  return {b.scaled(b.mul(x, b.add(b.emit("Tanh", {inner}), b.number(1))), 0.5)};
}

Values quick_gelu(Writer& w) {
  const std::string gate = w.b.emit("Sigmoid", {w.b.scaled(w.in(0), static_cast<double>(w.real("alpha", 1.702F)))});
  return {w.b.mul(w.in(0), gate)};
}

std::string layer_norm(Writer& w, const std::string& x, int gamma, int beta) {
  std::vector<std::string> inputs{x, w.in(gamma)};
  if (w.has(beta)) inputs.push_back(w.in(beta));
  return w.b.emit("LayerNormalization", inputs, {{"axis", std::int64_t{-1}}, {"epsilon", w.real("epsilon", 1e-12F)}});
}

/// Divided by the root of the mean square along the last axis.
std::string rms_norm(Writer& w, const std::string& x, int gamma) {
  Builder& b = w.b;
  const std::string mean = b.scaled(b.sum(b.mul(x, x), {-1}, true), 1.0 / static_cast<double>(b.shape(w.in(0)).back()));
  const std::string root = b.emit("Sqrt", {b.add(mean, b.number(static_cast<double>(w.real("epsilon", 1e-5F))))});
  return b.mul(b.div(x, root), w.in(gamma));
}

Values skip_layer_norm(Writer& w) {
  const std::string sum = w.plus(w.b.add(w.in(0), w.in(1)), 4);
  return {layer_norm(w, sum, 2, 3), "", "", sum};
}
Values skip_rms_norm(Writer& w) {
  const std::string sum = w.plus(w.b.add(w.in(0), w.in(1)), 3);
  return {rms_norm(w, sum, 2), "", "", sum};
}
Values plain_rms_norm(Writer& w) { return {rms_norm(w, w.in(0), 1)}; }

Shape counting(std::int64_t count) {
  Shape numbers;
  for (std::int64_t i = 0; i < count; ++i) numbers.push_back(i);
  return numbers;
}

/// Rows of the three tables, added and normalised; the lengths of the sequences from the mask.
Values embed_layer_norm(Writer& w) {
  enum { kIds, kSegments, kWords, kPositions, kSegmentTable, kGamma, kBeta, kMask, kPositionIds };
  Builder& b = w.b;
  const std::int64_t steps = b.shape(w.in(kIds))[1];
  const std::string places = w.has(kPositionIds) ? w.in(kPositionIds) : b.ints(counting(steps));
  std::string sum = b.add(b.emit("Gather", {w.in(kWords), w.in(kIds)}), b.emit("Gather", {w.in(kPositions), places}));
  if (w.has(kSegments)) sum = b.add(sum, b.emit("Gather", {w.in(kSegmentTable), w.in(kSegments)}));
  std::string lengths;
  if (w.has(kMask)) lengths = b.emit("ReduceSum", {w.in(kMask), b.ints({1})}, {{"keepdims", std::int64_t{0}}});
  return {layer_norm(w, sum, kGamma, kBeta), lengths, sum};
}

/// What is added to the scores so that padding and, if asked for, what comes later counts for nothing; "" for nothing.
std::string mask_of(Writer& w, int input, std::int64_t batch, std::int64_t queries, std::int64_t keys) {
  Builder& b = w.b;
  const double filter = static_cast<double>(w.real("mask_filter_value", -10000.0F));
  std::string mask;
  if (w.has(input)) {
    std::string seen;
    if (b.shape(w.in(input)).size() == 1) {
      const std::string lengths = b.reshape(b.emit("Cast", {w.in(input)}, {{"to", std::int64_t{7}}}), {batch, 1});
      seen = b.mask(b.emit("Greater", {lengths, b.ints(counting(keys))}));
    } else {
      seen = b.emit("Cast", {w.in(input)}, {{"to", std::int64_t{1}}});
    }
    mask = b.reshape(b.scaled(b.sub(b.number(1), seen), filter), {batch, 1, 1, keys});
  }
  if (w.integer("unidirectional", 0) != 0) {
    std::vector<float> later;
    for (std::int64_t q = 0; q < queries; ++q) {
      for (std::int64_t k = 0; k < keys; ++k)
        later.push_back(k > q + keys - queries ? static_cast<float>(filter) : 0.0F);
    }
    const std::string causal = b.floats(later, {1, 1, queries, keys});
    mask = mask.empty() ? causal : b.add(mask, causal);
  }
  return mask;
}

struct Projected {
  std::string query, key, value;  ///< [batch, steps, heads * size]
};

/// softmax(q k' scale + bias) v, head by head.
std::string attend(Writer& w, const Projected& p, std::int64_t size, const std::string& mask, int bias) {
  Builder& b = w.b;
  const std::int64_t heads = w.integer("num_heads", 1);
  const auto split = [&](const std::string& value, const Shape& order) {
    return b.transpose(b.reshape(value, {0, 0, heads, -1}), order);
  };
  const float given = w.real("scale", 0);
  const double scale = given != 0 ? static_cast<double>(given) : 1 / std::sqrt(static_cast<double>(size / heads));
  std::string scores = b.emit("MatMul", {split(p.query, {0, 2, 1, 3}), split(p.key, {0, 2, 3, 1})});
  scores = b.scaled(scores, scale);
  if (!mask.empty()) scores = b.add(scores, mask);
  scores = w.plus(scores, bias);
  const std::string weights = b.emit("Softmax", {scores}, {{"axis", std::int64_t{-1}}});
  const std::string mixed = b.emit("MatMul", {weights, split(p.value, {0, 2, 1, 3})});
  return b.reshape(b.transpose(mixed, {0, 2, 1, 3}), {0, 0, -1});
}

Values attention(Writer& w) {
  enum { kInput, kWeight, kBias, kMask, kPast, kAttentionBias };
  Builder& b = w.b;
  const Shape& xs = b.shape(w.in(kInput));
  const std::int64_t size = b.shape(w.in(kWeight))[1] / 3;
  const std::string all = w.plus(b.emit("MatMul", {w.in(kInput), w.in(kWeight)}), kBias);
  const Projected p{b.slice(all, 0, size, 2), b.slice(all, size, 2 * size, 2), b.slice(all, 2 * size, 3 * size, 2)};
  return {attend(w, p, size, mask_of(w, kMask, xs[0], xs[1], xs[1]), kAttentionBias)};
}

Values multi_head_attention(Writer& w) {
  enum { kQuery, kKey, kValue, kBias, kPadding, kAttentionBias };
  Builder& b = w.b;
  const Shape &qs = b.shape(w.in(kQuery)), &ks = b.shape(w.in(kKey));
  const std::int64_t size = qs[2];
  Projected p{w.in(kQuery), w.in(kKey), w.in(kValue)};
  if (w.has(kBias)) {
    p.query = b.add(p.query, b.slice(w.in(kBias), 0, size, 0));
    p.key = b.add(p.key, b.slice(w.in(kBias), size, 2 * size, 0));
    p.value = b.add(p.value, b.slice(w.in(kBias), 2 * size, b.shape(w.in(kBias))[0], 0));
  }
  return {attend(w, p, size, mask_of(w, kPadding, qs[0], qs[1], ks[1]), kAttentionBias)};
}

Values fused_matmul(Writer& w) {
  Builder& b = w.b;
  std::string x = w.in(0), y = w.in(1);
  if (w.integer("transA", 0) != 0) x = b.transpose_last(x, b.shape(x).size());
  if (w.integer("transB", 0) != 0) y = b.transpose_last(y, b.shape(y).size());
  return {b.scaled(b.emit("MatMul", {x, y}), static_cast<double>(w.real("alpha", 1)))};
}

/// The activation function that a fused node ends with.
std::string activated(Writer& w, const std::string& x) {
  const auto* name = w.attribute("activation");
  if (name == nullptr || name->s().empty()) return x;
  const auto* given = w.attribute("activation_params");
  const auto parameter = [&](int i) {
    return given != nullptr && i < given->floats_size() ? given->floats(i)
                                                        : w.real(i == 0 ? "activation_alpha" : "activation_beta", 0);
  };
  const std::string op = name->s();
  if (op == "LeakyRelu") return w.b.emit(op, {x}, {{"alpha", parameter(0)}});
  if (op == "HardSigmoid") return w.b.emit(op, {x}, {{"alpha", parameter(0)}, {"beta", parameter(1)}});
  if (op != "Clip") return w.b.emit(op, {x});
  return w.b.emit(op,
                  {x, w.b.number(static_cast<double>(parameter(0))), w.b.number(static_cast<double>(parameter(1)))});
}

Values fused_conv(Writer& w) {
  std::vector<std::string> inputs{w.in(0), w.in(1)};
  if (w.has(2)) inputs.push_back(w.in(2));
  const std::string y =
      w.standard("Conv", inputs, {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"});
  return {activated(w, w.plus(y, 3))};
}

Values fused_gemm(Writer& w) {
  std::vector<std::string> inputs{w.in(0), w.in(1)};
  if (w.has(2)) inputs.push_back(w.in(2));
  return {activated(w, w.standard("Gemm", inputs, {"alpha", "beta", "transA", "transB"}))};
}

using Write = Values (*)(Writer&);

const std::unordered_map<std::string, Write>& writes() {
  static const std::unordered_map<std::string, Write> known = {
      {"Gelu", gelu},
      {"BiasGelu", bias_gelu},
      {"FastGelu", fast_gelu},
      {"QuickGelu", quick_gelu},
      {"SkipLayerNormalization", skip_layer_norm},
      {"SkipSimplifiedLayerNormalization", skip_rms_norm},
      {"EmbedLayerNormalization", embed_layer_norm},
      {"Attention", attention},
      {"MultiHeadAttention", multi_head_attention},
      {"FusedMatMul", fused_matmul},
      {"FusedConv", fused_conv},
      {"FusedGemm", fused_gemm},
  };
  return known;
}

/// ONNX Runtime has this one in ONNX's own domain.
bool is_plain_rms_norm(const onnx::NodeProto& node) { return node.op_type() == "SimplifiedLayerNormalization"; }

std::size_t rank_of(const onnx::NodeProto& node, int input, const FactsMap& facts) {
  if (input >= node.input_size() || node.input(input).empty()) return 0;
  const auto known = facts.find(node.input(input));
  return known == facts.end() ? 0 : known->second.shape.size();
}

/// Inputs of states kept from call to call, packed weights and masks of other kinds are left alone.
bool common_attention(const onnx::NodeProto& node, const FactsMap& facts) {
  const bool multi = node.op_type() == "MultiHeadAttention";
  const int mask = multi ? 4 : 3, first_state = multi ? 6 : 4;
  for (int i = first_state; i < node.input_size(); ++i) {
    if (!node.input(i).empty() && (multi || i != 5)) return false;
  }
  for (int i = 1; i < node.output_size(); ++i) {
    if (!node.output(i).empty()) return false;
  }
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == "qkv_hidden_sizes" || (attribute.name() == "do_rotary" && attribute.i() != 0)) return false;
  }
  if (multi && (rank_of(node, 1, facts) != 3 || rank_of(node, 2, facts) != 3)) return false;
  const std::size_t rank = rank_of(node, mask, facts);
  if (rank == 1) return facts.at(node.input(mask)).shape[0] == facts.at(node.input(0)).shape[0];
  return rank == 2 || mask >= node.input_size() || node.input(mask).empty();
}

}  // namespace

bool can_write_contrib(const onnx::NodeProto& node, const FactsMap& facts) {
  if (is_plain_rms_norm(node)) return node.output_size() == 1 && rank_of(node, 0, facts) > 0;
  if (node.domain() != "com.microsoft" || writes().count(node.op_type()) == 0 || rank_of(node, 0, facts) == 0) {
    return false;
  }
  const std::string& op = node.op_type();
  if (op == "Attention" || op == "MultiHeadAttention") return common_attention(node, facts);
  const bool reads_lengths = node.output_size() > 1 && !node.output(1).empty();
  if (op == "EmbedLayerNormalization") return !reads_lengths || (node.input_size() > 7 && !node.input(7).empty());
  if (op == "FusedMatMul") return rank_of(node, 0, facts) > 1 && rank_of(node, 1, facts) > 1;
  return true;
}

std::vector<std::string> write_contrib(const onnx::NodeProto& node, Builder& builder) {
  Writer writer(node, builder);
  return is_plain_rms_norm(node) ? plain_rms_norm(writer) : writes().at(node.op_type())(writer);
}

}  // namespace mpq::graph::adjoint
