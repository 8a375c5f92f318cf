#include "runtime/optimized.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

#include "mpq/error.h"

#include "runtime/session.h"

// ONNX Runtime tells what it runs in two files: the optimized model, and the profile of its nodes (Chrome's trace
// events). Both are written into a folder of their own and read back.

namespace mpq::runtime {
namespace {

namespace fs = std::filesystem;

/// A folder that goes away with its owner.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (fs::temp_directory_path() / "mpq-kernels-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
      throw Error(ErrorCode::kOutput, "No folder for ONNX Runtime's profile can be made.", pattern,
                  "Set TMPDIR to a folder that can be written.");
    }
    path_ = pattern;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Times of one node, a slot per run.
struct Timeline {
  std::string op;
  std::vector<double> runs;
};

/// Cuts the events into runs: each ends with a "model_run" event of the session.
void read_profile(const std::string& path, int warm_up, OptimizedModel& result) {
  std::ifstream file(path);
  const nlohmann::json events = nlohmann::json::parse(file, nullptr, false);
  if (!events.is_array()) throw Error(ErrorCode::kInternal, "ONNX Runtime's profile is no list of events.", path);
  std::map<std::string, Timeline> nodes;
  std::map<std::string, std::pair<std::string, double>> now;
  std::vector<double> totals;
  int run = 0;
  for (const auto& event : events) {
    const std::string category = event.value("cat", ""), name = event.value("name", "");
    constexpr std::string_view kEnding = "_kernel_time";
    if (category == "Node" && name.ends_with(kEnding)) {
      auto& [op, spent] = now[name.substr(0, name.size() - kEnding.size())];
      op = event.at("args").value("op_name", "");
      spent += event.value("dur", 0.0);
    } else if (category == "Session" && name == "model_run") {
      double total = 0;
      for (const auto& [node, seen] : now) {
        total += seen.second;
        if (run < warm_up) continue;
        Timeline& line = nodes[node];
        line.op = seen.first;
        line.runs.push_back(seen.second);
      }
      if (run >= warm_up) totals.push_back(total);
      now.clear();
      ++run;
    }
  }
  for (auto& [name, line] : nodes) result.times[name] = {line.op, median(std::move(line.runs))};
  result.microseconds = median(std::move(totals));
}

}  // namespace

OptimizedModel optimized_model(const onnx::ModelProto& skeleton, const graph::TensorStore& store,
                               std::span<const Feed> feeds, int threads, int runs) {
  constexpr int kWarmUp = 2;
  const ScratchFolder folder;
  SessionOptions options;
  options.threads = threads;
  options.optimized_model_path = folder.file("optimized.onnx");
  if (runs > 0) options.profile_prefix = folder.file("profile");
  OptimizedModel result;
  {
    Session session(skeleton, store, options);
    const std::size_t count = runs > 0 ? static_cast<std::size_t>(runs + kWarmUp) : 0;
    for (std::size_t i = 0; i < count && !feeds.empty(); ++i) (void)session.run(feeds[i % feeds.size()]);
    if (runs > 0) read_profile(session.end_profiling(), kWarmUp, result);
  }
  std::ifstream file(options.optimized_model_path, std::ios::binary);
  if (!file || !result.model.ParseFromIstream(&file)) {
    throw Error(ErrorCode::kInternal, "The optimized model that ONNX Runtime wrote cannot be read.");
  }
  return result;
}

}  // namespace mpq::runtime
