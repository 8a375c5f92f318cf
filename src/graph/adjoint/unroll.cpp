#include "graph/adjoint/unroll.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "graph/operator_checks.h"

namespace mpq::graph::adjoint {

namespace {

constexpr std::int64_t kMostSteps = 512;
constexpr std::int64_t kInt64 = onnx::TensorProto::INT64;

/// The operators' inputs, all alike.
enum Input { kX, kW, kR, kB, kLengths, kInitialH, kInitialC, kPeepholes };

bool has(const onnx::NodeProto& node, int input) { return input < node.input_size() && !node.input(input).empty(); }

const onnx::AttributeProto* attribute_of(const onnx::NodeProto& node, const char* name) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

std::int64_t number(const onnx::NodeProto& node, const char* name) {
  const auto* attribute = attribute_of(node, name);
  return attribute == nullptr ? 0 : attribute->i();
}

std::vector<std::string> usual_activations(const std::string& op) {
  if (op == "LSTM") return {"Sigmoid", "Tanh", "Tanh"};
  if (op == "GRU") return {"Sigmoid", "Tanh"};
  return {"Tanh"};
}

bool usual(const onnx::NodeProto& node) {
  const auto* given = attribute_of(node, "activations");
  if (given == nullptr) return true;
  const std::vector<std::string> expected = usual_activations(node.op_type());
  for (int i = 0; i < given->strings_size(); ++i) {
    if (given->strings(i) != expected[static_cast<std::size_t>(i) % expected.size()]) return false;
  }
  return true;
}

bool is_common(const onnx::NodeProto& node, const FactsMap& facts) {
  if (!usual(node) || attribute_of(node, "clip") != nullptr || number(node, "input_forget") != 0 ||
      number(node, "layout") != 0 || has(node, kPeepholes)) {
    return false;
  }
  for (const int input : {kX, kR}) {
    const auto found = facts.find(node.input(input));
    if (found == facts.end() || found->second.dtype != DType::kFloat32 || found->second.shape.size() != 3) return false;
  }
  return facts.at(node.input(kX)).shape[0] * facts.at(node.input(kR)).shape[0] <= kMostSteps;
}

/// Writes one node out.
class Unroller {
 public:
  Unroller(const onnx::NodeProto& node, Builder& b)
      : node_(node),
        b_(b),
        steps_(b.shape(node.input(kX))[0]),
        batch_(b.shape(node.input(kX))[1]),
        inputs_(b.shape(node.input(kX))[2]),
        directions_(b.shape(node.input(kR))[0]),
        hidden_(b.shape(node.input(kR))[2]),
        gates_(b.shape(node.input(kR))[1] / hidden_) {}

  /// The value of every output.
  std::vector<std::string> run() {
    std::vector<std::vector<std::string>> by_step(static_cast<std::size_t>(steps_));  // [step][direction]
    std::vector<std::string> last_h, last_c;
    const auto* mode = attribute_of(node_, "direction");
    if (has(node_, kLengths)) lengths_ = b_.emit("Cast", {node_.input(kLengths)}, {{"to", kInt64}});
    for (std::int64_t d = 0; d < directions_; ++d) {
      const bool backwards = d == 1 || (mode != nullptr && mode->s() == "reverse");
      State state = begin(d);
      for (std::int64_t i = 0; i < steps_; ++i) {
        const std::int64_t t = backwards ? steps_ - 1 - i : i;
        const std::string h = lengths_.empty() ? step(t, state) : step_within_lengths(t, state);
        by_step[static_cast<std::size_t>(t)].push_back(b_.reshape(h, {1, 1, batch_, hidden_}));
      }
      last_h.push_back(b_.reshape(state.h, {1, batch_, hidden_}));
      if (!state.c.empty()) last_c.push_back(b_.reshape(state.c, {1, batch_, hidden_}));
    }
    std::vector<std::string> steps;
    for (const auto& directions : by_step) steps.push_back(concat(directions, 1));
    std::vector<std::string> outputs = {concat(steps, 0), concat(last_h, 0)};
    if (!last_c.empty()) outputs.push_back(concat(last_c, 0));
    return outputs;
  }

 private:
  struct State {
    std::string x;     ///< what all inputs add to the gates, biases included: [steps, batch, gates * hidden]
    std::string r;     ///< recurrent weight, transposed: [hidden, gates * hidden]
    std::string bias;  ///< of the recurrence, where it is not part of x: [gates * hidden]
    std::string h, c;  ///< [batch, hidden]
  };

  bool is(const char* op) const { return node_.op_type() == op; }
  /// GRU's reset gate then scales the product with its bias, which must stay apart.
  bool resets_after() const { return is("GRU") && number(node_, "linear_before_reset") != 0; }
  std::string concat(const std::vector<std::string>& parts, std::int64_t axis) {
    return parts.size() == 1 ? parts[0] : b_.emit("Concat", parts, {{"axis", axis}});
  }
  /// One direction's part of an input, without the axis of directions.
  std::string of_direction(int input, std::int64_t d, const Shape& shape) {
    return b_.reshape(b_.slice(node_.input(input), d, d + 1, 0), shape);
  }
  std::string initial(int input, std::int64_t d) {
    return has(node_, input) ? of_direction(input, d, {batch_, hidden_}) : b_.zeros({batch_, hidden_});
  }
  std::string matmul(const std::string& a, const std::string& b) { return b_.emit("MatMul", {a, b}); }
  std::string apply(const char* op, const std::string& a) { return b_.emit(op, {a}); }
  std::string gate(const std::string& all, std::int64_t first, std::int64_t count = 1) {
    return b_.slice(all, first * hidden_, (first + count) * hidden_, 1);
  }

  State begin(std::int64_t d) {
    const std::int64_t rows = gates_ * hidden_;
    State state;
    state.x = matmul(node_.input(kX), b_.transpose(of_direction(kW, d, {rows, inputs_}), {1, 0}));
    state.r = b_.transpose(of_direction(kR, d, {rows, hidden_}), {1, 0});
    if (has(node_, kB)) {
      const std::string both = of_direction(kB, d, {2 * rows});
      const std::string of_inputs = b_.slice(both, 0, rows, 0), of_state = b_.slice(both, rows, 2 * rows, 0);
      state.x = b_.add(state.x, resets_after() ? of_inputs : b_.add(of_inputs, of_state));
      if (resets_after()) state.bias = of_state;
    }
    state.h = initial(kInitialH, d);
    if (is("LSTM")) state.c = initial(kInitialC, d);
    return state;
  }

  /// What the step gives out.
  std::string step(std::int64_t t, State& state) {
    const std::string x = b_.reshape(b_.slice(state.x, t, t + 1, 0), {batch_, gates_ * hidden_});
    if (is("LSTM")) {
      lstm_step(b_.add(x, matmul(state.h, state.r)), state);
    } else if (is("GRU")) {
      gru_step(x, state);
    } else {
      state.h = apply("Tanh", b_.add(x, matmul(state.h, state.r)));
    }
    return state.h;
  }

  /// Behind its end a sequence keeps its state and gives out zeros; run backwards it begins there.
  std::string step_within_lengths(std::int64_t t, State& state) {
    const State before = state;
    const std::string inside = b_.reshape(b_.emit("Greater", {lengths_, b_.ints({t})}), {batch_, 1});
    const std::string h = step(t, state);
    state.h = b_.emit("Where", {inside, h, before.h});
    if (is("LSTM")) state.c = b_.emit("Where", {inside, state.c, before.c});
    return b_.emit("Where", {inside, h, b_.number(0)});
  }

  /// Gates in the order input, output, forget, cell.
  void lstm_step(const std::string& gates, State& state) {
    const std::string input = apply("Sigmoid", gate(gates, 0)), output = apply("Sigmoid", gate(gates, 1)),
                      forget = apply("Sigmoid", gate(gates, 2)), cell = apply("Tanh", gate(gates, 3));
    state.c = b_.add(b_.mul(forget, state.c), b_.mul(input, cell));
    state.h = b_.mul(output, apply("Tanh", state.c));
  }

  /// Gates in the order update, reset, hidden.
  void gru_step(const std::string& x, State& state) {
    std::string update, candidate;
    if (resets_after()) {
      std::string recurrent = matmul(state.h, state.r);
      if (!state.bias.empty()) recurrent = b_.add(recurrent, state.bias);
      const std::string both = apply("Sigmoid", b_.add(gate(x, 0, 2), gate(recurrent, 0, 2)));
      update = gate(both, 0);
      candidate = b_.mul(gate(both, 1), gate(recurrent, 2));
    } else {
      const std::string both =
          apply("Sigmoid", b_.add(gate(x, 0, 2), matmul(state.h, b_.slice(state.r, 0, 2 * hidden_, 1))));
      update = gate(both, 0);
      candidate = matmul(b_.mul(gate(both, 1), state.h), b_.slice(state.r, 2 * hidden_, 3 * hidden_, 1));
    }
    const std::string hidden = apply("Tanh", b_.add(gate(x, 2), candidate));
    state.h = b_.add(b_.mul(b_.sub(b_.number(1), update), hidden), b_.mul(update, state.h));
  }

  const onnx::NodeProto& node_;
  Builder& b_;
  std::int64_t steps_, batch_, inputs_, directions_, hidden_, gates_;
  std::string lengths_;  ///< of the sequences, as int64; "" where all have all steps
};

}  // namespace

bool is_recurrent(const onnx::NodeProto& node) {
  static constexpr std::array kOps = {"LSTM", "GRU", "RNN"};
  return is_default_domain(node.domain()) && std::find(kOps.begin(), kOps.end(), node.op_type()) != kOps.end();
}

bool can_unroll(const onnx::NodeProto& node, const FactsMap& facts) {
  return is_recurrent(node) && is_common(node, facts);
}

std::vector<std::string> unroll(const onnx::NodeProto& node, Builder& builder) { return Unroller(node, builder).run(); }

}  // namespace mpq::graph::adjoint
