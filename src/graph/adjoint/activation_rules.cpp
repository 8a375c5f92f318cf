#include <cmath>

#include "graph/adjoint/rule.h"

// Activation functions: dL/dx = g f'(x). Masks and slopes are computed once, without the probe axis.

namespace mpq::graph::adjoint {

namespace {

void times(RuleCall& c, const std::string& slope) { c.give(0, c.b.mul(c.g(), slope)); }

/// `slope` where x > 0, else `other`.
std::string where_positive(RuleCall& c, const std::string& slope, const std::string& other) {
  return c.b.emit("Where", {c.b.emit("Greater", {c.x(), c.b.number(0)}), slope, other});
}

void relu(RuleCall& c) { times(c, c.b.mask(c.b.emit("Greater", {c.x(), c.b.number(0)}))); }

void leaky_relu(RuleCall& c) { times(c, where_positive(c, c.b.number(1), c.b.number(c.attribute("alpha", 0.01F)))); }

void prelu(RuleCall& c) {
  const std::string positive = c.b.emit("Greater", {c.x(), c.b.number(0)});
  if (c.wants(0)) c.give(0, c.b.mul(c.g(), c.b.emit("Where", {positive, c.b.number(1), c.x(1)})));
  if (c.wants(1)) c.give_unbroadcast(1, c.b.mul(c.g(), c.b.emit("Where", {positive, c.b.number(0), c.x(0)})));
}

/// alpha (exp(x) - 1) below 0: slope y + alpha.
void elu(RuleCall& c) {
  const float alpha = c.attribute("alpha", 1.0F);
  times(c, where_positive(c, c.b.number(1), c.b.add(c.y(), c.b.number(alpha))));
}

/// gamma (alpha exp(x) - alpha) below 0: slope y + gamma alpha.
void selu(RuleCall& c) {
  const float alpha = c.attribute("alpha", 1.67326319217681884765625F);
  const float gamma = c.attribute("gamma", 1.05070102214813232421875F);
  times(c, where_positive(c, c.b.number(gamma), c.b.add(c.y(), c.b.number(gamma * alpha))));
}

/// The bounds of a Clip may be absent.
/// Limits get the adjoints of what they cut off.
void clip(RuleCall& c) {
  std::string inside;
  for (const auto& [input, comparison] : {std::pair{1, "Greater"}, std::pair{2, "Less"}}) {
    if (!c.has(input)) continue;
    const std::string holds = c.b.emit(comparison, {c.x(), c.x(input)});
    if (c.wants(input)) c.give_unbroadcast(input, c.b.mul(c.g(), c.b.mask(c.b.emit("Not", {holds}))));
    inside = inside.empty() ? holds : c.b.emit("And", {inside, holds});
  }
  if (!c.wants(0)) return;
  if (inside.empty()) return c.give(0, c.g());
  times(c, c.b.mask(inside));
}

void hard_sigmoid(RuleCall& c) {
  const std::string inside =
      c.b.emit("And", {c.b.emit("Greater", {c.y(), c.b.number(0)}), c.b.emit("Less", {c.y(), c.b.number(1)})});
  times(c, c.b.scaled(c.b.mask(inside), c.attribute("alpha", 0.2F)));
}

/// x max(0, min(1, x/6 + 1/2)): slope x/3 + 1/2 between -3 and 3.
void hard_swish(RuleCall& c) {
  const std::string middle = c.b.add(c.b.scaled(c.x(), 1.0 / 3), c.b.number(0.5));
  const std::string capped = c.b.emit("Where", {c.b.emit("Greater", {c.x(), c.b.number(3)}), c.b.number(1), middle});
  times(c, c.b.emit("Where", {c.b.emit("Less", {c.x(), c.b.number(-3)}), c.b.number(0), capped}));
}

void tanh(RuleCall& c) { times(c, c.b.sub(c.b.number(1), c.b.mul(c.y(), c.y()))); }

void sigmoid(RuleCall& c) { times(c, c.b.mul(c.y(), c.b.sub(c.b.number(1), c.y()))); }

void softplus(RuleCall& c) { times(c, c.b.emit("Sigmoid", {c.x()})); }

/// x / (1 + |x|): slope 1 / (1 + |x|)^2
void softsign(RuleCall& c) {
  const std::string root = c.b.add(c.b.number(1), c.b.emit("Abs", {c.x()}));
  times(c, c.b.emit("Reciprocal", {c.b.mul(root, root)}));
}

/// x Phi(x): slope Phi(x) + x phi(x). The tanh form differs by its own rounding of Phi.
void gelu(RuleCall& c) {
  if (c.attribute("approximate", "none") != "none") throw NoRule("its approximate form has none");
  const double pi = std::acos(-1.0);
  const std::string phi = c.b.scaled(c.b.emit("Exp", {c.b.scaled(c.b.mul(c.x(), c.x()), -0.5)}), 1 / std::sqrt(2 * pi));
  const std::string erf = c.b.emit("Erf", {c.b.scaled(c.x(), 1 / std::sqrt(2.0))});
  const std::string cdf = c.b.scaled(c.b.add(erf, c.b.number(1)), 0.5);
  times(c, c.b.add(cdf, c.b.mul(c.x(), phi)));
}

/// x tanh(s), s = softplus(x): slope tanh(s) + x sigmoid(x) (1 - tanh(s)^2)
void mish(RuleCall& c) {
  const std::string t = c.b.emit("Tanh", {c.b.emit("Softplus", {c.x()})});
  const std::string curve = c.b.mul(c.b.emit("Sigmoid", {c.x()}), c.b.sub(c.b.number(1), c.b.mul(t, t)));
  times(c, c.b.add(t, c.b.mul(c.x(), curve)));
}

void thresholded_relu(RuleCall& c) {
  times(c, c.b.mask(c.b.emit("Greater", {c.x(), c.b.number(c.attribute("alpha", 1.0F))})));
}

}  // namespace

void add_activation_rules(RuleTable& table) {
  table["Relu"] = relu;
  table["LeakyRelu"] = leaky_relu;
  table["PRelu"] = prelu;
  table["Elu"] = elu;
  table["Selu"] = selu;
  table["Clip"] = clip;
  table["HardSigmoid"] = hard_sigmoid;
  table["HardSwish"] = hard_swish;
  table["Tanh"] = tanh;
  table["Sigmoid"] = sigmoid;
  table["Softplus"] = softplus;
  table["Softsign"] = softsign;
  table["Gelu"] = gelu;
  table["Mish"] = mish;
  table["ThresholdedRelu"] = thresholded_relu;
}

}  // namespace mpq::graph::adjoint
