#include <cstring>
#include <map>

#include <gmock/gmock.h>

#include "mpq/profile.h"

#include "../analyze/fixtures.h"
#include "plan_writing.h"
#include "profile/subnet.h"
#include "runtime/session.h"
#include "support/affinity.h"

namespace mpq {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// Convolutions with an activation, a residual connection and pooling.
Model convolutions() {
  return testing_models::load(testing_models::parse(
      R"(<ir_version: 8, opset_import: ["" : 13]>
         net (float[1, 16, 24, 24] x) => (float[1, 16, 24, 24] y) {
           a = Conv<kernel_shape = [3, 3], pads = [1, 1, 1, 1]>(x, w0)
           b = Relu(a)
           c = Conv<kernel_shape = [3, 3], pads = [1, 1, 1, 1]>(b, w1)
           d = Add(b, c)
           e = Relu(d)
           y = Conv<kernel_shape = [3, 3], pads = [1, 1, 1, 1]>(e, w2)
         })",
      {{"w0", {16, 16, 3, 3}}, {"w1", {16, 16, 3, 3}}, {"w2", {16, 16, 3, 3}}}));
}

/// Synthetic numbers that pass for real ones.
Samples real_samples(const Model& model) {
  const Samples made = Samples::synthetic(model, 2, 1);
  DataFacts facts = made.facts();
  facts.synthetic = false;
  return Samples({made[0], made[1]}, facts);
}

ProfileOptions one_core() {
  ProfileOptions options;
  options.processors = parse_processors("cpu:" + std::to_string(available_cores().front()));
  options.repeats = 3;
  return options;
}

TEST(ProfileOfConvolutions, MeasuresThemOnIntegerActivations) {
  const Model model = convolutions();
  const Profile p = profile(model, real_samples(model), one_core());
  EXPECT_THAT(p.integer_activations, UnorderedElementsAre("Conv_0", "Conv_1", "Conv_2"));
  ASSERT_GE(p.segments.size(), 3U);
  for (const SegmentCost& cost : p.column(0, "int8")->costs) EXPECT_EQ(cost.same_as, "");
  for (const SegmentCost& cost : p.column(0, "int4")->costs) EXPECT_EQ(cost.same_as, "int8") << "the same kernels";
  EXPECT_EQ(profile_from_json(to_json(p), "p.json").integer_activations, p.integer_activations);
}

TEST(ProfileOfConvolutions, HasNoIntegerActivationsFromMadeUpInputs) {
  const Model model = convolutions();
  const Profile p = profile(model, Samples::synthetic(model, 1, 1), one_core());
  EXPECT_THAT(p.integer_activations, IsEmpty());
}

/// Segments of the written network, each by itself: an activation that is on its grid stays the same when it is rounded
/// again, so the bytes are those of the whole network.
TEST(ProfileOfConvolutions, IntegersCrossACutUnchanged) {
  const Model model = convolutions();
  const Samples samples = real_samples(model);
  const Profile p = profile(model, samples, one_core());
  PipelineOptions options;
  options.quantize.rounding = "nearest";
  RoundedQuantizer quantizer(model, samples);
  IntegerPlanner integers(model, samples, {}, IntegerPlanner::Grids::kPlain);
  const Writing writing{model, model, quantizer, integers, samples, options, silent_observer()};
  const profiling::Variant variant =
      profiling::at_precision(model, "int8", [&](const Plan& plan) { return write_as(writing, plan, "int8"); });
  EXPECT_THAT(variant.kernels, Contains(testing::Pair("Conv_1", "int8 kernel with int8 activations")));
  const profiling::CuttableModel parts(variant.model, p);
  std::map<std::string, runtime::SharedValue> values;
  for (const auto& [name, tensor] : samples[0]) values[name] = runtime::SharedValue(tensor);
  for (int segment = 0; segment < static_cast<int>(p.segments.size()); ++segment) {
    const runtime::Session session = parts.session({segment}, p.processors[0], "int8");
    std::vector<runtime::SharedValue> inputs;
    for (const ValueInfo& info : session.inputs()) inputs.push_back(values.at(info.name));
    const auto outputs = session.run_values(inputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) values[session.outputs()[i].name] = outputs[i];
  }
  const Tensor expected = runtime::Session(variant.model).run(samples[0]).front();
  const Tensor found = values.at("y").tensor();
  ASSERT_EQ(found.shape(), expected.shape());
  EXPECT_EQ(std::memcmp(found.data(), expected.data(), expected.size_bytes()), 0);
}

}  // namespace
}  // namespace mpq
