#pragma once

#include <cstdio>
#include <functional>
#include <mutex>
#include <string>

namespace mpq {

/// Finished pieces of a long piece of work, one line each, appended to a file as they come, so that an interrupted or
/// killed run can go on. A line that was not written to its end is dropped. An empty path keeps nothing. Thread safe.
class Journal {
 public:
  /// Takes up what the file holds when it begins with `magic` and belongs to `key`, else begins it anew: calls `accept`
  /// with every line; the first it does not take, and all behind it, are dropped. Throws Error{kOutput}, also when the
  /// file is something else.
  Journal(std::string path, const std::string& magic, const std::string& key,
          const std::function<bool(const std::string&)>& accept);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// `line` holds no line feed.
  void append(const std::string& line);
  const std::string& path() const { return path_; }
  /// The work is complete: the file has served.
  void remove();

 private:
  std::size_t load(const std::string& magic, const std::string& header,
                   const std::function<bool(const std::string&)>& accept);

  std::string path_;
  std::FILE* file_ = nullptr;
  std::mutex mutex_;
};

}  // namespace mpq
