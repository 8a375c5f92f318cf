#include <cctype>
#include <cstdint>
#include <filesystem>
#include <set>

#include "mpq/error.h"
#include "mpq/weights.h"

#include "support/files.h"

namespace mpq {

namespace {

std::string file_stem(const std::string& name, std::set<std::string>& taken) {
  std::string stem;
  for (const char c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
    stem += plain ? c : '_';
  }
  if (stem.empty() || stem[0] == '.') stem.insert(0, "_");
  std::string unique = stem;
  for (int suffix = 2; !taken.insert(unique).second; ++suffix) unique = stem + "_" + std::to_string(suffix);
  return unique;
}

/// NumPy's format 1.0: magic, length of the header, the header padded to 64 bytes.
std::string npy_header(const std::vector<std::int64_t>& shape) {
  std::string extents;
  for (const std::int64_t extent : shape) extents += std::to_string(extent) + ",";
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + extents + "), }";
  constexpr std::size_t kPrefix = 10, kAlignment = 64;
  header.append(kAlignment - 1 - (kPrefix + header.size()) % kAlignment, ' ');
  header += '\n';
  std::string result("\x93NUMPY\x01\x00", 8);
  result += static_cast<char>(header.size() & 0xff);
  result += static_cast<char>(header.size() >> 8);
  return result + header;
}

}  // namespace

std::size_t dump_weights(const Model& model, const std::string& folder, bool force) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Error(ErrorCode::kOutput, "The folder cannot be made: " + error.message() + ".", folder);
  std::set<std::string> taken;
  const std::vector<StoredWeight> weights = stored_weights(model);
  for (const StoredWeight& weight : weights) {
    AtomicFile file(folder + "/" + file_stem(weight.name, taken) + ".npy", force);
    file.write(npy_header(weight.value.shape()));
    file.write(std::span(weight.value.data(), weight.value.size_bytes()));
    file.commit();
  }
  return weights.size();
}

}  // namespace mpq
