#include "analyze/piece_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpq/error.h"

#include "analyze/reference.h"
#include "fixtures.h"

namespace mpq::perturb {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing_models::gaussian_samples;
using testing_models::load;
using testing_models::parse;

const std::vector<Candidate> kCandidates = {{2, "grid", 0}, {4, "grid", 0}, {8, "grid", 0}, {32, "float", 0}};

/// Every layer a piece of its own, and nothing that crosses stays in memory.
graph::MemoryPlan tight(std::int64_t working_bytes = 1) {
  return {.pieces = true, .limit_bytes = 1, .piece_bytes = 1, .crossing_bytes = 0, .working_bytes = working_bytes};
}

struct Prices {
  std::vector<TaskOutcome> outcomes;
  std::vector<Unpriced> unpriced;
  std::size_t pieces = 0;
};

struct Case {
  Case(const Model& model, const Samples& samples, int threads = 2) : model_(model), samples_(samples) {
    options_.trials = static_cast<int>(samples.size());
    options_.threads = threads;
    options_.probes = 2;
    std::vector<std::vector<Candidate>> candidates;
    for (const Layer& layer : model_.layers()) {
      if (layer.quantizable()) candidates.push_back(kCandidates);
    }
    experiment_.emplace(make_experiment(model_, samples_, candidates, options_, silent_observer()));
  }

  Prices whole() {
    const Reference reference = measure_reference(*experiment_, silent_observer());
    Prices prices{std::vector<TaskOutcome>(experiment_->tasks.size()), {}, 1};
    prices.unpriced = price_by_adjoint(*experiment_, reference, silent_observer(), cost_, prices.outcomes);
    return prices;
  }

  Prices pieces(const graph::MemoryPlan& memory = tight()) {
    const PieceForward forward(*experiment_, memory, silent_observer());
    const Reference reference = reference_of(
        *experiment_, [&](std::size_t trial) { return forward.outputs(trial); }, silent_observer());
    Prices prices{std::vector<TaskOutcome>(experiment_->tasks.size()), {}, forward.pieces().size()};
    prices.unpriced =
        price_by_pieces(*experiment_, reference, forward, memory, silent_observer(), cost_, prices.outcomes);
    return prices;
  }

  Model model_;
  Samples samples_;
  AnalyzeOptions options_;
  std::optional<Experiment> experiment_;
  CostMeter cost_;
};

void expect_same(const Prices& pieces, const Prices& whole) {
  ASSERT_EQ(pieces.outcomes.size(), whole.outcomes.size());
  for (std::size_t t = 0; t < whole.outcomes.size(); ++t) {
    ASSERT_EQ(pieces.outcomes[t].damages.size(), whole.outcomes[t].damages.size());
    for (std::size_t c = 0; c < whole.outcomes[t].damages.size(); ++c) {
      for (std::size_t k = 0; k < whole.outcomes[t].damages[c].size(); ++k) {
        const double expected = whole.outcomes[t].damages[c][k];
        EXPECT_NEAR(pieces.outcomes[t].damages[c][k], expected, 1e-3 * expected) << "task " << t << " trial " << k;
      }
    }
  }
}

/// A skip connection, a weight used in two pieces, one behind a Transpose, a bias, and an output in the middle.
Model winding() {
  return load(parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (float[N,24] x) => (float[N,16] y, float[N,24] middle) {
      h1 = MatMul(x, w1)
      r1 = Relu(h1)
      h2 = MatMul(r1, tied)
      middle = Tanh(h2)
      h3 = MatMul(middle, w3)
      h4 = MatMul(h3, tied)
      s = Add(h4, r1)
      turned = Transpose(w2)
      y = Gemm(s, turned, b)
    })",
                    {{"w1", {24, 24}, 0.2F},
                     {"tied", {24, 24}, 0.2F},
                     {"w3", {24, 24}, 0.2F},
                     {"w2", {16, 24}, 0.2F},
                     {"b", {16}, 0.1F}}));
}

TEST(PriceByPieces, AgreesWithTheWholeNetwork) {
  Case test(winding(), gaussian_samples("x", {3, 24}, 4));
  const Prices pieces = test.pieces(), whole = test.whole();
  EXPECT_THAT(pieces.unpriced, IsEmpty());
  EXPECT_EQ(pieces.pieces, 5u);
  expect_same(pieces, whole);
}

TEST(PriceByPieces, NeitherThreadsNorMemoryChangeThePrices) {
  Case one(winding(), gaussian_samples("x", {3, 24}, 5), 1);
  Case two(winding(), gaussian_samples("x", {3, 24}, 5), 2);
  const Prices few = one.pieces(tight(1)), some = two.pieces(tight(40000));
  for (std::size_t t = 0; t < few.outcomes.size(); ++t) EXPECT_EQ(few.outcomes[t].damages, some.outcomes[t].damages);
}

TEST(PriceByPieces, SamplesOfSeveralShapes) {
  std::vector<Feed> feeds;
  const Samples small = gaussian_samples("x", {1, 24}, 2, 3), large = gaussian_samples("x", {5, 24}, 2, 4);
  for (std::size_t i = 0; i < 2; ++i) {
    feeds.push_back(small[i]);
    feeds.push_back(large[i]);
  }
  Case test(winding(), Samples(std::move(feeds), small.facts()));
  expect_same(test.pieces(), test.whole());
}

TEST(PriceByPieces, TablesByTheRowsThatAreLookedUp) {
  const Model model = load(parse(R"(<ir_version: 8, opset_import: ["" : 17]>
    net (int64[N,M] ids) => (float[N,M,16] y) {
      e = Gather(table, ids)
      h = MatMul(e, w1)
      r = Relu(h)
      y = MatMul(r, w2)
    })",
                                 {{"table", {40, 24}, 1.0F}, {"w1", {24, 24}, 0.2F}, {"w2", {24, 16}, 0.2F}}));
  std::vector<Feed> feeds;
  for (int i = 0; i < 3; ++i) {
    Tensor ids(DType::kInt64, {1, 4});
    for (int j = 0; j < 4; ++j) ids.as_mutable<std::int64_t>()[static_cast<std::size_t>(j)] = (7 * i + 11 * j) % 40;
    feeds.push_back({{"ids", ids}});
  }
  Case test(model, Samples(std::move(feeds), gaussian_samples("x", {1}, 1).facts()));
  const Prices pieces = test.pieces();
  EXPECT_GE(pieces.pieces, 3u);
  expect_same(pieces, test.whole());
}

TEST(PriceByPieces, AnOperatorWithoutARuleStopsAllLayersBeforeIt) {
  const Model model = load(parse(R"(<ir_version: 8, opset_import: ["" : 18]>
    net (float[N,24] x) => (float[N,16] y) {
      h1 = MatMul(x, w1)
      h2 = MatMul(h1, w2)
      c = Sinh(h2)
      y = MatMul(c, w3)
    })",
                                 {{"w1", {24, 24}, 0.2F}, {"w2", {24, 24}, 0.2F}, {"w3", {24, 16}, 0.2F}}));
  Case test(model, gaussian_samples("x", {2, 24}, 2));
  const Prices pieces = test.pieces(), whole = test.whole();
  ASSERT_THAT(pieces.unpriced, SizeIs(whole.unpriced.size()));
  ASSERT_THAT(pieces.unpriced, SizeIs(2));
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(pieces.unpriced[i].reason, whole.unpriced[i].reason);
}

}  // namespace
}  // namespace mpq::perturb
