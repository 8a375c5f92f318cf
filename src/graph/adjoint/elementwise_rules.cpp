#include <cmath>

#include "graph/adjoint/rule.h"

// Arithmetic, element by element, with broadcasting; and functions of one value: dL/dx = g f'(x).

namespace mpq::graph::adjoint {

namespace {

void identity(RuleCall& c) { c.give(0, c.g()); }

void cast(RuleCall& c) { c.give(0, c.g()); }  // adjoints flow between float32 values only

void add(RuleCall& c) {
  for (int i = 0; i < c.node.input_size(); ++i) {
    if (c.wants(i)) c.give_unbroadcast(i, c.g());
  }
}

void mean(RuleCall& c) {
  const std::string share = c.b.scaled(c.g(), 1.0 / c.node.input_size());
  for (int i = 0; i < c.node.input_size(); ++i) {
    if (c.wants(i)) c.give_unbroadcast(i, share);
  }
}

void sub(RuleCall& c) {
  if (c.wants(0)) c.give_unbroadcast(0, c.g());
  if (c.wants(1)) c.give_unbroadcast(1, c.b.neg(c.g()));
}

void mul(RuleCall& c) {
  if (c.wants(0)) c.give_unbroadcast(0, c.b.mul(c.g(), c.x(1)));
  if (c.wants(1)) c.give_unbroadcast(1, c.b.mul(c.g(), c.x(0)));
}

/// y = a / d:  g / d  and  -g y / d
void div(RuleCall& c) {
  if (c.wants(0)) c.give_unbroadcast(0, c.b.div(c.g(), c.x(1)));
  if (c.wants(1)) c.give_unbroadcast(1, c.b.neg(c.b.mul(c.g(), c.b.div(c.y(), c.x(1)))));
}

/// Of equal inputs the first is taken to be the one chosen.
void choose(RuleCall& c, const char* first_wins) {
  if (c.node.input_size() == 1) return identity(c);
  if (c.node.input_size() != 2) throw NoRule("it has more than two inputs");
  const std::string first = c.b.mask(c.b.emit(first_wins, {c.x(0), c.x(1)}));
  if (c.wants(0)) c.give_unbroadcast(0, c.b.mul(c.g(), first));
  if (c.wants(1)) c.give_unbroadcast(1, c.b.mul(c.g(), c.b.sub(c.b.number(1), first)));
}
void max(RuleCall& c) { choose(c, "GreaterOrEqual"); }
void min(RuleCall& c) { choose(c, "LessOrEqual"); }

/// y = x^p:  g p x^(p-1)
void pow(RuleCall& c) {
  c.only({0});
  const std::vector<double> p = c.numbers(1);
  if (p.size() != 1) throw NoRule("its exponent is no single number");
  const std::string power = p[0] == 2 ? c.x(0) : c.b.emit("Pow", {c.x(0), c.b.number(p[0] - 1)});
  c.give(0, c.b.mul(c.g(), c.b.scaled(power, p[0])));
}

/// Where(condition, a, b): each branch takes what it gave.
void where(RuleCall& c) {
  const std::string none = c.b.number(0);
  if (c.wants(1)) c.give_unbroadcast(1, c.b.emit("Where", {c.x(0), c.g(), none}));
  if (c.wants(2)) c.give_unbroadcast(2, c.b.emit("Where", {c.x(0), none, c.g()}));
}

void neg(RuleCall& c) { c.give(0, c.b.neg(c.g())); }
void abs(RuleCall& c) { c.give(0, c.b.mul(c.g(), c.b.emit("Sign", {c.x()}))); }
void exp(RuleCall& c) { c.give(0, c.b.mul(c.g(), c.y())); }
void log(RuleCall& c) { c.give(0, c.b.div(c.g(), c.x())); }
void sin(RuleCall& c) { c.give(0, c.b.mul(c.g(), c.b.emit("Cos", {c.x()}))); }
void cos(RuleCall& c) { c.give(0, c.b.neg(c.b.mul(c.g(), c.b.emit("Sin", {c.x()})))); }
void reciprocal(RuleCall& c) { c.give(0, c.b.neg(c.b.mul(c.g(), c.b.mul(c.y(), c.y())))); }

/// g / (2 y), kept finite where y is 0.
void sqrt(RuleCall& c) { c.give(0, c.b.div(c.b.scaled(c.g(), 0.5), c.b.emit("Max", {c.y(), c.b.number(1e-12)}))); }

/// g 2/sqrt(pi) exp(-x^2)
void erf(RuleCall& c) {
  const std::string bell = c.b.emit("Exp", {c.b.neg(c.b.mul(c.x(), c.x()))});
  c.give(0, c.b.mul(c.g(), c.b.scaled(bell, 2 / std::sqrt(std::acos(-1.0)))));
}

}  // namespace

void add_elementwise_rules(RuleTable& table) {
  for (const char* op : {"Identity", "Dropout"}) table[op] = identity;
  table["Cast"] = cast;
  for (const char* op : {"Add", "Sum"}) table[op] = add;
  table["Mean"] = mean;
  table["Sub"] = sub;
  table["Mul"] = mul;
  table["Div"] = div;
  table["Max"] = max;
  table["Min"] = min;
  table["Pow"] = pow;
  table["Where"] = where;
  table["Neg"] = neg;
  table["Abs"] = abs;
  table["Exp"] = exp;
  table["Log"] = log;
  table["Sin"] = sin;
  table["Cos"] = cos;
  table["Reciprocal"] = reciprocal;
  table["Sqrt"] = sqrt;
  table["Erf"] = erf;
}

}  // namespace mpq::graph::adjoint
