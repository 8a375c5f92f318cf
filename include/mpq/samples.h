#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mpq/model.h"
#include "mpq/tensor.h"

namespace mpq {

/// One run's inputs, by input name.
using Feed = std::map<std::string, Tensor>;

struct SamplesOptions {
  std::int64_t limit = 0;    ///< use at most so many samples; 0 = all
  std::string image_preset;  ///< image folders: "imagenet", "unit", "minus1to1"; empty = "imagenet"
};

/// Samples to feed a model with, each one run.
class Samples {
 public:
  /// Opens an `.npz` (key = input name, leading sample axis), a folder of `.npy` files (name = input name, or one
  /// file per sample for a single input), of ONNX `test_data_set_*` folders, or of images.
  /// An array of the same rank as the model's input keeps its sample axis as a batch axis of 1; one of a higher rank
  /// loses it. Throws Error{kInvalidInput} for unreadable data and for names, types or shapes the model does not take,
  /// saying what was found and what the model expects.
  static Samples open(const std::string& path, const Model& model, const SamplesOptions& options = {});

  /// `count` synthetic samples by shape and type: deterministic in `seed`. Weak evidence; callers must say so.
  static Samples synthetic(const Model& model, std::int64_t count, std::uint64_t seed);

  std::size_t size() const { return feeds_.size(); }
  const Feed& operator[](std::size_t i) const { return feeds_[i]; }
  const DataFacts& facts() const { return facts_; }

  /// Every fifth sample (at least one when there are two or more) is held out: {fit, held_out}. Deterministic.
  std::pair<Samples, Samples> hold_out_fifth() const;
  /// Samples [first, first + count).
  Samples slice(std::size_t first, std::size_t count) const;

  Samples(std::vector<Feed> feeds, DataFacts facts) : feeds_(std::move(feeds)), facts_(std::move(facts)) {}

 private:
  std::vector<Feed> feeds_;
  DataFacts facts_;
};

/// Writes arrays as NumPy's .npz, uncompressed. bfloat16 is written as its bits (uint16). Equal arrays give equal files.
/// Throws Error{kUnsupported} for strings and for more than 4 GiB, Error{kOutput} as every output.
void write_npz(const std::string& path, const Feed& arrays, bool force);

/// One array per name with a leading axis over the feeds; where their shapes differ or one lacks the name, an array
/// each: name_0, name_1, ...
Feed stacked(const std::vector<Feed>& feeds);

/// True labels of the evaluation samples: a 1-D integer `.npy`. Throws Error{kInvalidInput}.
std::vector<std::int64_t> load_labels(const std::string& path);

}  // namespace mpq
