#include "data/arrays.h"

#include <algorithm>
#include <memory>

#include "mpq/error.h"

#include "data/fit.h"
#include "data/zip.h"
#include "graph/wording.h"
#include "support/files.h"
#include "support/text.h"

namespace mpq::data {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& where, const std::string& hint) {
  throw Error(ErrorCode::kInvalidInput, what, where, hint);
}

const ValueInfo* input_named(const Model& model, const std::string& name) {
  const auto& inputs = model.inputs();
  const auto found = std::find_if(inputs.begin(), inputs.end(), [&](const ValueInfo& i) { return i.name == name; });
  return found == inputs.end() ? nullptr : &*found;
}

constexpr std::string_view kSuffix = ".npy";

std::string array_name(const ZipMember& member) { return member.name.substr(0, member.name.size() - kSuffix.size()); }

std::string array_text(const std::string& name) { return "the array " + graph::in_quotes(name); }

/// Whether the sample axis of `array` is also the model's batch axis.
bool keeps_axis(const NpyArray& array, const ValueInfo& input, const std::string& where) {
  if (!input.has_rank) return false;
  const std::size_t rank = array.shape.size();
  if (rank == input.shape.size()) return true;
  if (rank == input.shape.size() + 1) return false;
  refuse("The model's input " + graph::in_quotes(input.name) + " takes " + type_text(input) + ", but " +
             array_text(input.name) + " has the shape " + shape_text(array.shape) + ".",
         where, "Stack the samples along a leading axis, or along the batch axis.");
}

std::int64_t sample_count(const NamedArrays& arrays, const Model& model, const std::string& where) {
  std::string first;
  std::int64_t count = 0;
  bool any_numbers = false;
  for (const ValueInfo& input : model.inputs()) {
    const NpyArray& array = arrays.at(input.name);
    if (array.shape.empty()) {
      refuse("The model's input " + graph::in_quotes(input.name) + " cannot be fed: " + array_text(input.name) +
                 " is a single number without a sample axis.",
             where, "Repeat it for every sample: an array of shape [samples].");
    }
    any_numbers = any_numbers || !array.elements.view.empty();
    if (first.empty()) {
      first = input.name;
      count = array.shape[0];
    } else if (array.shape[0] != count) {
      refuse("The arrays hold different numbers of samples: " + graph::in_quotes(first) + " has " +
                 std::to_string(count) + ", " + graph::in_quotes(input.name) + " has " +
                 std::to_string(array.shape[0]) + ".",
             where, "The leading axis of every array is the sample axis.");
    }
  }
  if (count == 0) refuse("The data holds no samples.", where, "Give at least one sample.");
  // Rows without a number cost nothing in a file: it may announce more of them than memory holds.
  if (!any_numbers) refuse("The data holds no numbers.", where, "Give samples that are not empty.");
  return count;
}

}  // namespace

void check_names(const std::vector<std::string>& found, const Model& model, const std::string& where) {
  std::vector<std::string> missing, wanted;
  for (const ValueInfo& input : model.inputs()) {
    wanted.push_back(input.name);
    if (std::find(found.begin(), found.end(), input.name) == found.end()) missing.push_back(input.name);
  }
  if (missing.empty()) return;
  const ValueInfo& input = *input_named(model, missing.front());
  const std::vector<std::string> near = nearest(input.name, found, 1);
  const std::string rename = near.empty() ? (found.size() == 1 ? found.front() : std::string()) : near.front();
  refuse("The data has no array for the model's input" + std::string(missing.size() > 1 ? "s " : " ") +
             graph::listed(missing) + " (" + graph::in_quotes(input.name) + " takes " + type_text(input) +
             "); it has " + (found.empty() ? "none" : graph::listed(found)) + ".",
         where,
         rename.empty() ? "Name the arrays after the model's inputs: " + graph::listed(wanted) + "."
                        : "Rename " + graph::in_quotes(rename) + " to " + graph::in_quotes(input.name) + ".");
}

std::vector<Feed> feeds_of(const NamedArrays& arrays, const Model& model, std::int64_t limit,
                           const std::string& where) {
  std::int64_t count = sample_count(arrays, model, where);
  if (limit > 0) count = std::min(count, limit);
  std::vector<Feed> feeds(static_cast<std::size_t>(count));
  for (const ValueInfo& input : model.inputs()) {
    const NpyArray& array = arrays.at(input.name);
    const bool keep = keeps_axis(array, input, where);
    for (std::int64_t i = 0; i < count; ++i) {
      const Origin origin{"Sample " + std::to_string(i) + " of " + array_text(input.name), where};
      feeds[static_cast<std::size_t>(i)][input.name] = fit(row(array, i, keep), input, origin);
    }
  }
  return feeds;
}

NamedArrays open_npz(const std::string& path, const Model& model) {
  const auto file = std::make_shared<const MappedFile>(path);
  const Bytes archive{file->bytes(), file};
  std::vector<ZipMember> wanted;
  std::vector<std::string> names;
  for (const ZipMember& member : list_zip(archive.view, path)) {
    if (!member.name.ends_with(kSuffix)) continue;
    names.push_back(array_name(member));
    if (input_named(model, names.back()) != nullptr) wanted.push_back(member);
  }
  check_names(names, model, path);
  check_memory(wanted, path);
  NamedArrays arrays;
  for (const ZipMember& member : wanted) {
    arrays[array_name(member)] = parse_npy(extract(archive, member, path), array_name(member), path);
  }
  return arrays;
}

}  // namespace mpq::data
