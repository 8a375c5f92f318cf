#include "calibrate/advancing_pass.h"

#include <gtest/gtest.h>

#include "../analyze/fixtures.h"
#include "calibrate/quantized_prefix.h"
#include "graph/run_index.h"

namespace mpq::calibrate {
namespace {

using testing_models::load;
using testing_models::parse;

/// x -> a -> b -> c with a path around the middle.
Model chain() {
  return load(parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[4,16] x) => (float[4,16] y) {
      a = MatMul(x, u)  p = Tanh(a)  b = MatMul(p, v)  q = Add(b, p)  c = MatMul(q, w)  y = Add(c, a) })",
                    {{"u", {16, 16}}, {"v", {16, 16}}, {"w", {16, 16}}}));
}

void expect_same(const Feed& found, const Feed& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    const auto a = found.at(name).as<float>(), b = tensor.as<float>();
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-4) << name;
  }
}

TEST(AdvancingPass, GivesWhatAPassFromTheInputsGives) {
  const Model model = chain();
  const Samples samples = Samples::synthetic(model, 3, 5);
  const graph::RunForm form = graph::run_form(model);
  const std::vector<std::vector<std::string>> stops = {{"x"}, {"p"}, {"q", "p"}, {"y"}};
  for (const std::int64_t limit : {std::int64_t{1} << 30, std::int64_t{1}}) {  // kept values, or none
    QuantizedPrefix prefix(form);
    AdvancingPass pass(form, samples, {"x", "p", "q", "y"}, limit);
    for (const auto& names : stops) {
      pass.advance_to(prefix.form(), names);
      const runtime::Activations whole(prefix.form(), names);
      for (std::size_t i = 0; i < samples.size(); ++i) expect_same(pass.of(i), whole.of(samples[i]));
      // The next weight changes behind every stop.
      const std::string weight = names[0] == "x" ? "u" : names[0] == "p" ? "v" : "w";
      prefix.set(weight, testing_models::gaussians(77, 256, .3F));
      pass.forget_behind(form, weight);
    }
  }
}

TEST(AdvancingPass, AConstantThatWasReadAlreadyIsComputedWithAgain) {
  const Model model = chain();
  const Samples samples = Samples::synthetic(model, 2, 5);
  const graph::RunForm form = graph::run_form(model);
  QuantizedPrefix prefix(form);
  AdvancingPass pass(form, samples, {"p", "q"}, std::int64_t{1} << 30);
  pass.advance_to(prefix.form(), {"p"});
  for (std::size_t i = 0; i < samples.size(); ++i) pass.of(i);
  prefix.set("u", testing_models::gaussians(78, 256, 1));
  pass.forget_behind(form, "u");
  pass.advance_to(prefix.form(), {"q"});
  const runtime::Activations whole(prefix.form(), {"q"});
  for (std::size_t i = 0; i < samples.size(); ++i) expect_same(pass.of(i), whole.of(samples[i]));
}

}  // namespace
}  // namespace mpq::calibrate
