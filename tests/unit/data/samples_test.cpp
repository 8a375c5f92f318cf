#include "mpq/samples.h"

#include <filesystem>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support/folder.h"
#include "archive.h"
#include "data/facts.h"
#include "models.h"

namespace mpq::data::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor number(float value) {
  Tensor tensor(DType::kFloat32, {1});
  tensor.as_mutable<float>()[0] = value;
  return tensor;
}

/// Samples of one number: 0, 1, 2, ...
Samples counted(std::size_t count) {
  std::vector<Feed> feeds;
  for (std::size_t i = 0; i < count; ++i) feeds.push_back({{"x", number(static_cast<float>(i))}});
  DataFacts facts = facts_of(feeds, "source", false);
  return {std::move(feeds), std::move(facts)};
}

std::vector<float> numbers(const Samples& samples) {
  std::vector<float> result;
  for (std::size_t i = 0; i < samples.size(); ++i) result.push_back(samples[i].at("x").as<float>()[0]);
  return result;
}

TEST(HoldOutFifth, TakesEveryFifth) {
  const auto [fit, held_out] = counted(11).hold_out_fifth();
  EXPECT_THAT(numbers(held_out), ElementsAre(4, 9));
  EXPECT_THAT(numbers(fit), ElementsAre(0, 1, 2, 3, 5, 6, 7, 8, 10));
  EXPECT_EQ(fit.facts().samples, 9);
  EXPECT_EQ(held_out.facts().samples, 2);
  EXPECT_EQ(held_out.facts().source, "source");
}

TEST(HoldOutFifth, HoldsOutTheLastOfAFew) {
  for (const std::size_t count : {2U, 3U, 4U}) {
    const auto [fit, held_out] = counted(count).hold_out_fifth();
    EXPECT_THAT(numbers(held_out), ElementsAre(static_cast<float>(count - 1)));
    EXPECT_EQ(fit.size(), count - 1);
  }
  EXPECT_EQ(counted(1).hold_out_fifth().first.size(), 1U);
  EXPECT_EQ(counted(1).hold_out_fifth().second.size(), 0U);
  EXPECT_EQ(counted(0).hold_out_fifth().first.size(), 0U);
}

TEST(Slice, StaysInside) {
  EXPECT_THAT(numbers(counted(5).slice(1, 3)), ElementsAre(1, 2, 3));
  EXPECT_THAT(numbers(counted(5).slice(3, 100)), ElementsAre(3, 4));
  EXPECT_THAT(numbers(counted(5).slice(9, 1)), ElementsAre());
  EXPECT_THAT(numbers(counted(5).slice(2, static_cast<std::size_t>(-1))), ElementsAre(2, 3, 4));
  EXPECT_EQ(counted(5).slice(1, 3).facts().samples, 3);
  EXPECT_EQ(counted(5).slice(0, 2).facts().sha256, counted(2).facts().sha256);
}

TEST(DataFacts, HashEverythingThatMatters) {
  Tensor integer(DType::kInt32, {1});
  const std::vector<std::vector<Feed>> different = {{},
                                                    {{{"x", number(0)}}},
                                                    {{{"x", number(1)}}},
                                                    {{{"y", number(1)}}},
                                                    {{{"x", integer}}},
                                                    {{{"x", number(0).reshaped({1, 1})}}},
                                                    {{{"x", number(0)}}, {{"x", number(1)}}},
                                                    {{{"x", number(1)}}, {{"x", number(0)}}},
                                                    {{{"x", number(0)}, {"y", number(1)}}}};
  std::set<std::string> hashes;
  for (const auto& feeds : different) hashes.insert(facts_of(feeds, "", false).sha256);
  EXPECT_EQ(hashes.size(), different.size());
  EXPECT_EQ(facts_of({}, "a", true).sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// Of "1:x float32 [1]\n" and the four bytes of 1.0F, by another program.
TEST(DataFacts, AreStable) {
  EXPECT_EQ(facts_of({{{"x", number(1)}}}, "", false).sha256,
            "61e99654c52371f31e4e8d0f9e7e43ac16f6ae7a00a28dbf5e86018b5de2f4df");
}

class Open : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& bytes) const {
    const std::filesystem::path path = folder_.file(name);
    std::filesystem::create_directories(path.parent_path());
    put(path.string(), bytes);
    return path.string();
  }
  static std::vector<float> firsts(const Samples& samples) { return numbers(samples); }
  TemporaryFolder folder_;
  const std::string array_ = npy("<f4", "(3, 2)", raw<float>({0, 1, 2, 3, 4, 5}));
};

TEST_F(Open, TellsTheFormFromTheContent) {
  const Model model = pair_model();
  EXPECT_THAT(firsts(Samples::open(write("data", zip({stored("x.npy", array_)})), model)), ElementsAre(0, 2, 4));
  EXPECT_THAT(firsts(Samples::open(write("data.bin", array_), model)), ElementsAre(0, 2, 4));
  write("folder/x.npy", array_);
  EXPECT_THAT(firsts(Samples::open(folder_.file("folder"), model)), ElementsAre(0, 2, 4));
  onnx::TensorProto tensor;
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  tensor.add_dims(1);
  tensor.add_dims(2);
  tensor.add_float_data(8);
  tensor.add_float_data(9);
  write("sets/test_data_set_0/input_0.pb", tensor.SerializeAsString());
  EXPECT_THAT(firsts(Samples::open(folder_.file("sets"), model)), ElementsAre(8));
}

TEST_F(Open, TakesAsManyAsAskedFor) {
  SamplesOptions options;
  options.limit = 2;
  const Samples samples = Samples::open(write("x.npy", array_), pair_model(), options);
  EXPECT_THAT(firsts(samples), ElementsAre(0, 2));
  EXPECT_EQ(samples.facts().samples, 2);
  EXPECT_EQ(samples.facts().source, folder_.file("x.npy"));
  EXPECT_FALSE(samples.facts().synthetic);
}

TEST_F(Open, RefusesOtherThings) {
  const auto refused = [](const std::string& path, const Model& model) {
    return refusal(path, [&] { Samples::open(path, model); });
  };
  EXPECT_THAT(refused(write("text", "hello"), pair_model()), HasSubstr("neither an .npz archive nor an .npy array"));
  EXPECT_THAT(refused(write("empty", ""), pair_model()), HasSubstr("neither an .npz archive nor an .npy array"));
  EXPECT_THAT(refused(folder_.path(), pair_model()), HasSubstr("The folder holds no data that mpq reads."));
  EXPECT_THAT(refused(write("x.npy", array_), two_input_model()), HasSubstr("cannot feed the model's 2 inputs"));
  EXPECT_NE(refused(folder_.file("absent"), pair_model()), "no error");
}

}  // namespace
}  // namespace mpq::data::testing
