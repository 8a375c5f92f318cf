#include "mpq/samples.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <new>

#include "mpq/error.h"

#include "data/arrays.h"
#include "data/facts.h"
#include "data/fit.h"
#include "data/folders.h"
#include "data/images.h"
#include "data/npy.h"
#include "graph/wording.h"
#include "support/files.h"

namespace mpq {
namespace {

namespace fs = std::filesystem;

constexpr const char* kForms =
    "Give an .npz file, or a folder of .npy files, of test_data_set_* folders or of images (png, jpg, bmp).";

[[noreturn]] void refuse(const std::string& what, const std::string& where) {
  throw Error(ErrorCode::kInvalidInput, what, where, kForms);
}

bool begins_with(const std::string& path, std::string_view magic) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin(), [](char c, std::byte b) {
           return static_cast<unsigned char>(c) == std::to_integer<unsigned>(b);
         });
}

std::vector<Feed> open_file(const std::string& path, const Model& model, const SamplesOptions& options) {
  if (begins_with(path, "PK")) return data::feeds_of(data::open_npz(path, model), model, options.limit, path);
  if (begins_with(path, "\x93NUMPY")) {
    if (model.inputs().size() != 1) {
      throw Error(ErrorCode::kInvalidInput,
                  "One array cannot feed the model's " + std::to_string(model.inputs().size()) + " inputs.", path,
                  "Put one array per input into an .npz file.");
    }
    return data::feeds_of({{model.inputs().front().name, data::open_npy(path)}}, model, options.limit, path);
  }
  refuse("The file is neither an .npz archive nor an .npy array.", path);
}

std::vector<Feed> open_folder(const std::string& path, const Model& model, const SamplesOptions& options) {
  if (data::holds_tensor_sets(path)) return data::feeds_of_tensor_sets(path, model, options.limit);
  if (!data::files_in(path, ".npy").empty()) return data::feeds_of_npy_folder(path, model, options.limit);
  if (data::holds_images(path)) return data::feeds_of_images(path, model, options);
  refuse("The folder holds no data that mpq reads.", path);
}

std::vector<Feed> open_any(const std::string& path, const Model& model, const SamplesOptions& options) {
  try {
    return fs::is_directory(path) ? open_folder(path, model, options) : open_file(path, model, options);
  } catch (const fs::filesystem_error& failure) {
    refuse("The folder cannot be read: " + failure.code().message() + ".", path);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::kInvalidInput, "The data does not fit into memory.", path, "Use fewer samples (--samples).");
  }
}

}  // namespace

Samples Samples::open(const std::string& path, const Model& model, const SamplesOptions& options) {
  if (model.inputs().empty()) {
    throw Error(ErrorCode::kInvalidInput, "The model has no inputs, so there is nothing to feed it with.",
                model.facts().path);
  }
  std::vector<Feed> feeds = open_any(path, model, options);
  DataFacts facts = data::facts_of(feeds, path, false);
  return {std::move(feeds), std::move(facts)};
}

std::pair<Samples, Samples> Samples::hold_out_fifth() const {
  std::vector<Feed> fit, held_out;
  for (std::size_t i = 0; i < feeds_.size(); ++i) (i % 5 == 4 ? held_out : fit).push_back(feeds_[i]);
  if (held_out.empty() && fit.size() >= 2) {
    held_out.push_back(fit.back());
    fit.pop_back();
  }
  DataFacts fit_facts = data::facts_of(fit, facts_.source, facts_.synthetic);
  DataFacts held_out_facts = data::facts_of(held_out, facts_.source, facts_.synthetic);
  return {Samples(std::move(fit), std::move(fit_facts)), Samples(std::move(held_out), std::move(held_out_facts))};
}

Samples Samples::slice(std::size_t first, std::size_t count) const {
  first = std::min(first, feeds_.size());
  count = std::min(count, feeds_.size() - first);
  const auto begin = feeds_.begin() + static_cast<std::ptrdiff_t>(first);
  std::vector<Feed> part(begin, begin + static_cast<std::ptrdiff_t>(count));
  DataFacts facts = data::facts_of(part, facts_.source, facts_.synthetic);
  return {std::move(part), std::move(facts)};
}

}  // namespace mpq
