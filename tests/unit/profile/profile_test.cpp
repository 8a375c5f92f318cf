#include "mpq/profile.h"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "mpq/error.h"

#include "../analyze/fixtures.h"
#include "plain_profile.h"
#include "profile/subnet.h"
#include "profile/walk.h"
#include "runtime/session.h"
#include "support/affinity.h"

namespace mpq::profiling {
namespace {

/// Two branches of products behind a first one, joined; the batch varies.
Model branched() {
  return testing_models::load(testing_models::parse(
      R"(<ir_version: 8, opset_import: ["" : 13]>
         net (float[N, 16] x) => (float[N, 16] y) {
           a = MatMul(x, w0)
           b = Relu(a)
           c = MatMul(b, w1)
           d = Tanh(c)
           e = MatMul(b, w2)
           f = Sigmoid(e)
           g = Add(d, f)
           y = MatMul(g, w3)
         })",
      {{"w0", {16, 16}}, {"w1", {16, 16}}, {"w2", {16, 16}}, {"w3", {16, 16}}}));
}

/// A processor of one core, as the reference has one thread.
std::string one_core() { return "cpu:" + std::to_string(available_cores().front()); }

Profile measured(const Model& model, const std::string& devices, const std::string& checkpoint = "",
                 Observer& observer = silent_observer()) {
  ProfileOptions options;
  options.processors = parse_processors(devices);
  options.repeats = 3;
  options.checkpoint_path = checkpoint;
  return testing_profiles::plain_profile(model, Samples::synthetic(model, 1, 1), options, observer);
}

TEST(ProfileOfABranchedNetwork, KeepsBranchesApart) {
  const Profile p = measured(branched(), "cpu");
  ASSERT_EQ(p.segments.size(), 4U);
  EXPECT_EQ(p.segments[1].predecessors, (std::vector<int>{0}));
  EXPECT_EQ(p.segments[2].predecessors, (std::vector<int>{0}));
  EXPECT_EQ(p.segments[3].predecessors, (std::vector<int>{1, 2}));
  for (const Segment& segment : p.segments) EXPECT_EQ(segment.layers.size(), 1U);
}

TEST(ProfileOfABranchedNetwork, MeasuresEverySegmentAtEveryPrecision) {
  const Profile p = measured(branched(), "cpu,webgpu");
  ASSERT_EQ(p.columns.size(), p.processors[1].present() ? 6U : 3U);
  for (const char* precision : {"float32", "int8", "int4"}) {
    const CostColumn* column = p.column(0, precision);
    ASSERT_NE(column, nullptr) << precision;
    ASSERT_EQ(column->costs.size(), p.segments.size());
    ASSERT_TRUE(column->whole && column->predicted);
    for (const SegmentCost& cost : column->costs) {
      EXPECT_TRUE(cost.supported());
      EXPECT_GT(cost.alone.seconds, 0);
      EXPECT_EQ(cost.alone.count, 3);
      EXPECT_GT(cost.memory_bytes, 0);
    }
    EXPECT_EQ(column->costs.back().with_next.count, 0);
    EXPECT_EQ(column->costs.front().with_next.count, 3);
  }
}

using Parts = std::vector<std::vector<int>>;

/// Outputs of the network by name, computed part by part, each in a session of its own.
std::map<std::string, Tensor> run_in_parts(const Model& model, const Profile& p, const Parts& parts, const Feed& feed) {
  const CuttableModel cuttable(model, p);
  std::map<std::string, runtime::SharedValue> values;
  for (const auto& [name, tensor] : feed) values[name] = runtime::SharedValue(tensor);
  for (const std::vector<int>& segments : parts) {
    const runtime::Session session = cuttable.session(segments, p.processors[0], p.base_precision);
    std::vector<runtime::SharedValue> inputs;
    for (const ValueInfo& info : session.inputs()) inputs.push_back(values.at(info.name));
    const auto outputs = session.run_values(inputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) values[session.outputs()[i].name] = outputs[i];
  }
  std::map<std::string, Tensor> result;
  for (const ValueInfo& output : model.outputs()) result[output.name] = values.at(output.name).tensor();
  return result;
}

/// Against ONNX Runtime on the whole model.
void expect_same_bytes(const Model& model, const Profile& p, const Parts& parts, const Feed& feed) {
  const std::vector<Tensor> expected = runtime::Session(model).run(feed);
  const auto found = run_in_parts(model, p, parts, feed);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Tensor& tensor = found.at(model.outputs()[i].name);
    ASSERT_EQ(tensor.shape(), expected[i].shape());
    EXPECT_EQ(std::memcmp(tensor.data(), expected[i].data(), expected[i].size_bytes()), 0) << model.outputs()[i].name;
  }
}

TEST(ProfileOfABranchedNetwork, SubnetsInSequenceAreTheNetwork) {
  const Model model = branched();
  const Profile p = measured(model, one_core());
  const Samples samples = Samples::synthetic(model, 1, 7);
  for (const Parts& parts : std::vector<Parts>{
           {{0, 1, 2, 3}}, {{0}, {1}, {2}, {3}}, {{0, 2}, {1}, {3}}, {{0}, {1, 2}, {3}}, {{0, 1}, {2, 3}}}) {
    expect_same_bytes(model, p, parts, samples[0]);
  }
}

/// Models that have been fetched (models/fetch).
TEST(ProfileOfRealNetworks, SegmentsInSequenceAreTheNetwork) {
  for (const char* name : {"fetched/ppocr_rec", "fetched/ppocr_det", "fetched/minilm"}) {
    const std::filesystem::path folder = std::filesystem::path(MPQ_MODELS) / name;
    if (!std::filesystem::exists(folder / "model.onnx")) continue;
    const Model model = Model::load((folder / "model.onnx").string());
    const bool has_data = std::filesystem::exists(folder / "evaluation.npz");
    const Samples samples =
        has_data ? Samples::open((folder / "evaluation.npz").string(), model) : Samples::synthetic(model, 1, 1);
    ProfileOptions options;
    options.processors = parse_processors(one_core());
    options.precisions = {"float32"};
    options.repeats = 1;
    const Profile p = testing_profiles::plain_profile(model, samples, options);
    EXPECT_GT(p.segments.size(), 1U);
    Parts each;
    for (int i = 0; i < static_cast<int>(p.segments.size()); ++i) each.push_back({i});
    SCOPED_TRACE(name);
    expect_same_bytes(model, p, each, samples[0]);
  }
}

TEST(ProfileRecord, ReadsBackAsItWas) {
  const Profile p = measured(branched(), "cpu");
  const std::string text = to_json(p);
  EXPECT_EQ(to_json(profile_from_json(text, "p.json")), text);
  EXPECT_THROW(profile_from_json(text.substr(0, text.size() / 2), "p.json"), Error);
}

TEST(ProfileRecord, IsRefusedForAnotherModelOrMachine) {
  const Model model = branched();
  Profile p = measured(model, "cpu");
  EXPECT_NO_THROW(require_matches(p, model));
  p.machine.sha256 = "another";
  EXPECT_THROW(require_matches(p, model), Error);
  p.machine = this_machine();
  p.model.sha256 = "another";
  EXPECT_THROW(require_matches(p, model), Error);
}

TEST(SubnetSeconds, NeighboursSaveWhatWasMeasuredAndOthersACall) {
  Profile p;
  p.processors.resize(1);
  p.processors[0].call_seconds = 0.5;
  p.segments.resize(3);
  CostColumn column;
  column.precision = "float32";
  for (const double seconds : {3.0, 4.0, 5.0}) {
    SegmentCost cost;
    cost.alone.seconds = seconds;
    column.costs.push_back(cost);
  }
  column.costs[0].with_next = {6.0, 0, 1};  // saves 1
  column.costs[1].with_next = {7.0, 0, 1};  // saves 2
  p.columns = {column};
  EXPECT_DOUBLE_EQ(subnet_seconds(p, {0}, 0, "float32"), 3);
  EXPECT_DOUBLE_EQ(subnet_seconds(p, {0, 1, 2}, 0, "float32"), 9);
  EXPECT_DOUBLE_EQ(subnet_seconds(p, {0, 2}, 0, "float32"), 7.5);
  EXPECT_TRUE(std::isinf(subnet_seconds(p, {0}, 0, "int8")));
}

/// Stops before the third segment.
class Impatient : public Observer {
 public:
  void progress(const std::string& stage, double done, double, const std::string&) override {
    stop_ = stage == "profile" && done >= 2;
  }
  bool cancelled() const override { return stop_; }

 private:
  bool stop_ = false;
};

TEST(ProfileCheckpoint, TakesUpWhatAnInterruptedRunMeasured) {
  const std::string path = testing_models::temporary("profile.checkpoint").string();
  const Model model = branched();
  Impatient impatient;
  EXPECT_THROW(measured(model, "cpu", path, impatient), Error);
  ASSERT_TRUE(std::filesystem::exists(path));
  // A figure that no measurement gives shows that it was taken from the file.
  std::ifstream in(path);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  const std::size_t begin = text.find("\"seconds\":") + 10, end = text.find(',', begin);
  text.replace(begin, end - begin, "12345.0");
  std::ofstream(path) << text << "{\"segment\": 2, \"co";  // and a line that was not written to its end
  const Profile p = measured(model, "cpu", path);
  EXPECT_EQ(p.columns[0].costs[0].alone.seconds, 12345.0);
  EXPECT_LT(p.columns[0].costs[2].alone.seconds, 1.0);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ProfileOfNoProcessor, SaysWhatIsMissing) {
  try {
    measured(branched(), "cuda:7");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
  }
}

}  // namespace
}  // namespace mpq::profiling
