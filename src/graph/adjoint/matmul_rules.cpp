#include <algorithm>
#include <cctype>
#include <set>

#include "graph/adjoint/rule.h"

// Matrix products. Y = A B:  dL/dA = g B',  dL/dB = A' g  (' is transposition), summed over broadcast batch axes.

namespace mpq::graph::adjoint {

namespace {

/// A vector is a matrix of one row (first operand) or one column (second).
struct Operands {
  Shape a, b, y;
  std::string left, right, g;
};

Operands operands(RuleCall& c) {
  Operands o{c.xs(0), c.xs(1), {}, c.x(0), c.x(1), ""};
  if (o.a.size() == 1) {
    o.a.insert(o.a.begin(), 1);
    o.left = c.b.reshape(o.left, o.a);
  }
  if (o.b.size() == 1) {
    o.b.push_back(1);
    o.right = c.b.reshape(o.right, o.b);
  }
  const std::size_t rank = std::max(o.a.size(), o.b.size());
  for (std::size_t axis = 0; axis + 2 < rank; ++axis) {
    const auto extent = [&](const Shape& s) { return axis + s.size() < rank ? 1 : s[axis + s.size() - rank]; };
    o.y.push_back(std::max(extent(o.a), extent(o.b)));
  }
  o.y.push_back(o.a[o.a.size() - 2]);
  o.y.push_back(o.b.back());
  o.g = c.b.reshape_sample(c.g(), o.y);
  return o;
}

std::string left_adjoint(RuleCall& c, const Operands& o) {
  const std::string product = c.b.emit("MatMul", {o.g, c.b.transpose_last(o.right, o.b.size())});
  Shape full = o.y;
  full.back() = o.a.back();
  return c.b.sum_to(product, full, o.a);
}

/// A matrix that serves a whole batch takes one product over all of the batch's rows.
std::string right_adjoint(RuleCall& c, const Operands& o) {
  if (o.b.size() == 2) {
    const std::int64_t rows = count_of(o.a) / o.a.back();
    const std::string flat = c.b.reshape(o.left, {rows, o.a.back()});
    return c.b.emit("MatMul", {c.b.transpose(flat, {1, 0}), c.b.reshape_sample(o.g, {rows, o.b.back()})});
  }
  const std::string product = c.b.emit("MatMul", {c.b.transpose_last(o.left, o.a.size()), o.g});
  Shape full = o.y;
  full[full.size() - 2] = o.a.back();
  return c.b.sum_to(product, full, o.b);
}

void matmul(RuleCall& c) {
  const Operands o = operands(c);
  // A reshape that changes nothing copies a whole weight's adjoint when that is fetched.
  const auto shaped = [&](const std::string& adjoint, const Shape& from, const Shape& to) {
    return from == to ? adjoint : c.b.reshape_sample(adjoint, to);
  };
  if (c.wants(0)) c.give(0, shaped(left_adjoint(c, o), o.a, c.xs(0)));
  if (c.wants(1)) c.give(1, shaped(right_adjoint(c, o), o.b, c.xs(1)));
}

/// Y = alpha A B + beta C with A and B transposed on demand.
void gemm(RuleCall& c) {
  const bool ta = c.attribute("transA", std::int64_t{0}) != 0, tb = c.attribute("transB", std::int64_t{0}) != 0;
  const std::string g = c.b.scaled(c.g(), c.attribute("alpha", 1.0F));
  const std::string &A = c.x(0), &B = c.x(1);
  const auto flip = [&](const std::string& m) { return c.b.transpose(m, {1, 0}); };
  const auto flipped_g = [&] { return c.b.transpose_last(g, 3); };
  if (c.wants(0)) {
    c.give(0, ta ? c.b.emit("MatMul", {tb ? flip(B) : B, flipped_g()}) : c.b.emit("MatMul", {g, tb ? B : flip(B)}));
  }
  if (c.wants(1)) {
    c.give(1, tb ? c.b.emit("MatMul", {flipped_g(), ta ? flip(A) : A}) : c.b.emit("MatMul", {ta ? A : flip(A), g}));
  }
  if (c.wants(2)) c.give_unbroadcast(2, c.b.scaled(c.g(), c.attribute("beta", 1.0F)));
}

struct Equation {
  std::vector<std::string> terms;
  std::string result;
};

Equation parse(std::string text) {
  text.erase(std::remove_if(text.begin(), text.end(), [](unsigned char ch) { return std::isspace(ch) != 0; }),
             text.end());
  const std::size_t arrow = text.find("->");
  if (arrow == std::string::npos) throw NoRule("its equation has no explicit result");
  if (text.find('.') != std::string::npos) throw NoRule("its equation has an ellipsis");
  Equation equation{{""}, text.substr(arrow + 2)};
  for (const char letter : text.substr(0, arrow)) {
    if (letter == ',') {
      equation.terms.emplace_back();
    } else {
      equation.terms.back() += letter;
    }
  }
  return equation;
}

/// "ab,bc->ac": the adjoint of the first is the product "ac,bc->ab" of g and the others.
void einsum(RuleCall& c) {
  const Equation equation = parse(c.attribute("equation", ""));
  char probe = 'A';
  const std::string text = c.attribute("equation", "");
  while (text.find(probe) != std::string::npos) ++probe;
  for (int i = 0; i < c.node.input_size(); ++i) {
    if (!c.wants(i)) continue;
    std::string terms = probe + equation.result, seen = equation.result;
    std::vector<std::string> inputs{c.g()};
    for (int k = 0; k < c.node.input_size(); ++k) {
      if (k == i) continue;
      terms += "," + equation.terms[static_cast<std::size_t>(k)];
      seen += equation.terms[static_cast<std::size_t>(k)];
      inputs.push_back(c.x(k));
    }
    const std::string& own = equation.terms[static_cast<std::size_t>(i)];
    if (std::set<char>(own.begin(), own.end()).size() != own.size()) throw NoRule("its equation takes a diagonal");
    for (const char letter : own) {
      if (seen.find(letter) == std::string::npos) throw NoRule("its equation sums one operand alone");
    }
    c.give(i, c.b.emit("Einsum", inputs, {{"equation", terms + "->" + probe + own}}));
  }
}

}  // namespace

void add_matmul_rules(RuleTable& table) {
  table["MatMul"] = matmul;
  table["Gemm"] = gemm;
  table["Einsum"] = einsum;
}

}  // namespace mpq::graph::adjoint
