#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mpq/executor.h"
#include "mpq/profile.h"

#include "../profile/plain_profile.h"
#include "runtime/session.h"
#include "support/affinity.h"

namespace mpq::testing_executor {

/// The digits network, some samples and its profile on two cores (or the one there is).
struct Digits {
  Model model = Model::load(MPQ_MODELS "/digits/model.onnx");
  Samples samples = Samples::synthetic(model, 12, 1);
  Profile profile = measured();

  Profile measured() const {
    const auto& cores = available_cores();
    const std::string first = std::to_string(cores.front()), last = std::to_string(cores.back());
    ProfileOptions options;
    options.processors = parse_processors(first == last ? "cpu:" + first : "cpu:" + first + ",cpu:" + last);
    options.precisions = {"float32"};
    options.repeats = 3;
    return testing_profiles::plain_profile(model, samples, options);
  }
  int processors() const { return static_cast<int>(profile.processors.size()); }
  int segments() const { return static_cast<int>(profile.segments.size()); }
};

inline const Digits& digits() {
  static const Digits value;
  return value;
}

/// The network in one session of the plain runtime, by output name.
inline const std::vector<Feed>& one_session() {
  static const auto values = [] {
    const runtime::Session session(digits().model);
    std::vector<Feed> results;
    for (std::size_t i = 0; i < digits().samples.size(); ++i) {
      const std::vector<Tensor> tensors = session.run(digits().samples[i]);
      Feed& feed = results.emplace_back();
      for (std::size_t o = 0; o < tensors.size(); ++o) feed.emplace(session.outputs()[o].name, tensors[o]);
    }
    return results;
  }();
  return values;
}

inline void expect_close(const Feed& outputs, const Feed& expected) {
  ASSERT_EQ(outputs.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    const auto found = outputs.at(name).as<float>(), wanted = tensor.as<float>();
    ASSERT_EQ(found.size(), wanted.size());
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], wanted[i], 1e-4 * (1 + std::abs(wanted[i])));
  }
}

}  // namespace mpq::testing_executor
