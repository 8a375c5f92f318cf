#pragma once

#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "mpq/model.h"
#include "mpq/placement.h"
#include "mpq/profile.h"
#include "mpq/samples.h"

namespace mpq {

/// A processor that misbehaves on purpose, to see that nothing is lost: for tests and drills.
struct InjectedFault {
  enum class Kind : std::uint8_t {
    kFail,   ///< the run throws
    kDie,    ///< the processor is gone, for good
    kStall,  ///< the run does not return until the executor is destroyed
    kDelay   ///< every run takes `seconds` more
  };
  std::string processor;
  Kind kind = Kind::kFail;
  std::int64_t after_runs = 0;  ///< of this processor; kFail: this one run only, unless `always`
  bool always = false;
  double seconds = 0;
};

struct ExecutorOptions {
  std::size_t queue = 64;    ///< requests that wait outside of the lanes, at most; submit() then waits for room
  double stall_seconds = 0;  ///< a longer run means that its processor is lost; 0: 10 s or 100 predicted times
  bool trace = false;        ///< keep every run's times for events()
  std::string precision;     ///< as in PlaceOptions
  std::string openvino_library, webgpu_library;  ///< as in ProfileOptions
  std::vector<InjectedFault> faults = {};
};

/// One run of one subnet.
struct ExecutionEvent {
  std::int64_t request = 0;
  int lane = 0, subnet = 0;   ///< positions in the placement
  int processor = 0;          ///< position in Profile::processors
  double start = 0, end = 0;  ///< seconds since the executor was made
  double entered = 0;         ///< when the request entered its lane, where it may have waited for its first run
};

/// What became of a processor.
struct ProcessorHealth {
  std::string lost;  ///< why it is no longer used; empty while it is
  std::int64_t runs = 0;
  double busy_seconds = 0;
};

/// Runs a network as placed: every subnet is an ONNX Runtime session on its processor, with threads on that processor's
/// cores; what one session computes the next reads without a copy. Results are delivered in the order of submission.
/// A request that fails fails alone. When a processor dies or does not return, what it served moves to another one,
/// requests under way included; nothing is lost or delivered twice. Thread safe.
class Executor {
 public:
  /// Makes all sessions. Throws Error{kInvalidInput} when profile and model do not belong together, and what the
  /// runtime says when it refuses a subnet.
  Executor(const Model& model, const Profile& profile, const Placement& placement, const ExecutorOptions& options = {});
  /// Waits for all requests.
  ~Executor();
  Executor(Executor&&) noexcept;

  /// Asynchronous: returns as soon as there is room. The future holds the outputs by name, or the exception of this
  /// request; missing inputs and those of another type or shape are found at once and throw Error{kInvalidInput}.
  std::future<Feed> submit(const Feed& inputs);
  /// Synchronous: one request's outputs.
  Feed run(const Feed& inputs);

  std::vector<ProcessorHealth> health() const;  ///< parallel to Profile::processors
  std::vector<ExecutionEvent> events() const;
  /// The profile with lost processors marked as absent, and why: what the next placement starts from.
  Profile marked_profile() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The rows of `inputs` that may be divided among processors: their common leading extent, where the model leaves that
/// axis open in every input and output; else 0.
std::int64_t divisible_rows(const Model& model, const Feed& inputs);

}  // namespace mpq
