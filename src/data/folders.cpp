#include "data/folders.h"

#include <algorithm>
#include <cctype>

#include "mpq/error.h"

#include "data/arrays.h"
#include "data/fit.h"
#include "data/npy.h"
#include "graph/wording.h"

namespace mpq::data {
namespace {

namespace fs = std::filesystem;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  return text;
}

/// A file cannot have a `/` in its name, an input can.
std::string stem_of(const std::string& input) {
  std::string stem = input;
  std::replace(stem.begin(), stem.end(), '/', '_');
  return stem;
}

std::vector<Feed> one_file_per_sample(const std::vector<fs::path>& files, const ValueInfo& input, std::int64_t limit) {
  std::vector<Feed> feeds;
  for (const fs::path& file : files) {
    if (limit > 0 && static_cast<std::int64_t>(feeds.size()) == limit) break;
    Tensor tensor = whole(open_npy(file.string()));
    if (input.has_rank && tensor.shape().size() + 1 == input.shape.size()) {
      std::vector<std::int64_t> batched = {1};
      batched.insert(batched.end(), tensor.shape().begin(), tensor.shape().end());
      tensor = tensor.reshaped(std::move(batched));
    }
    const Origin origin{"The array " + graph::in_quotes(file.filename().string()), file.string()};
    feeds.push_back({{input.name, fit(tensor, input, origin)}});
  }
  return feeds;
}

}  // namespace

std::vector<fs::path> files_in(const fs::path& folder, const std::string& extension) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && lower(entry.path().extension().string()) == extension) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<Feed> feeds_of_npy_folder(const fs::path& folder, const Model& model, std::int64_t limit) {
  const std::vector<fs::path> files = files_in(folder, ".npy");
  NamedArrays arrays;
  std::vector<std::string> names;
  for (const fs::path& file : files) {
    std::string name = file.stem().string();
    for (const ValueInfo& input : model.inputs()) {
      if (name == input.name || name == stem_of(input.name)) {
        name = input.name;
        arrays[name] = open_npy(file.string());
        break;
      }
    }
    names.push_back(name);
  }
  if (arrays.empty() && model.inputs().size() == 1) return one_file_per_sample(files, model.inputs().front(), limit);
  check_names(names, model, folder.string());
  return feeds_of(arrays, model, limit, folder.string());
}

}  // namespace mpq::data
