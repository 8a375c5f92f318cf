#include "support/journal.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "mpq/error.h"

namespace mpq {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ErrorCode::kOutput, "The checkpoint cannot be written: " + what + ".", path,
              "Choose a folder that can be written, or run without a checkpoint.");
}

}  // namespace

Journal::Journal(std::string path, const std::string& magic, const std::string& key,
                 const std::function<bool(const std::string&)>& accept)
    : path_(std::move(path)) {
  if (path_.empty()) return;
  const std::string header = magic + " " + key + "\n";
  const std::size_t valid = load(magic, header, accept);
  if (valid > 0) {
    // Cut off what was not written to its end, so that new lines do not join it.
    std::error_code ignored;
    std::filesystem::resize_file(path_, valid, ignored);
    if (ignored) fail(path_, ignored.message());
  }
  file_ = std::fopen(path_.c_str(), valid > 0 ? "ab" : "wb");
  if (file_ == nullptr) fail(path_, std::strerror(errno));
  if (valid == 0 && (std::fputs(header.c_str(), file_) < 0 || std::fflush(file_) != 0))
    fail(path_, std::strerror(errno));
}

Journal::~Journal() {
  if (file_ != nullptr) std::fclose(file_);
}

/// Returns how many bytes of the file are valid; 0 when it is none of ours.
std::size_t Journal::load(const std::string& magic, const std::string& header,
                          const std::function<bool(const std::string&)>& accept) {
  std::ifstream in(path_, std::ios::binary);
  if (!in) return 0;
  std::ostringstream content;
  content << in.rdbuf();
  const std::string text = content.str();
  if (!text.empty() && !text.starts_with(magic)) fail(path_, "the file exists and is no checkpoint of mpq");
  if (!text.starts_with(header)) return 0;
  std::size_t begin = header.size();
  for (std::size_t end = text.find('\n', begin); end != std::string::npos; end = text.find('\n', begin)) {
    if (!accept(text.substr(begin, end - begin))) break;
    begin = end + 1;
  }
  return begin;
}

void Journal::append(const std::string& line) {
  if (file_ == nullptr) return;
  const std::lock_guard lock(mutex_);
  if (std::fputs((line + '\n').c_str(), file_) < 0 || std::fflush(file_) != 0) fail(path_, std::strerror(errno));
}

void Journal::remove() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  file_ = nullptr;
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace mpq
