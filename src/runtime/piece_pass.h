#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "mpq/observer.h"
#include "mpq/samples.h"

#include "graph/pieces.h"
#include "runtime/session.h"
#include "support/spill_file.h"

namespace mpq::runtime {

/// Values that cross between pieces, by sample. Those that do not fit into `most_bytes` are put aside on disk. Thread
/// safe.
class CrossingValues {
 public:
  CrossingValues(std::size_t samples, std::int64_t most_bytes) : values_(samples), left_bytes_(most_bytes) {}

  void put(std::size_t sample, const std::string& name, Tensor value);
  /// An empty Tensor where there is none.
  Tensor get(std::size_t sample, const std::string& name) const;
  bool has(std::size_t sample, const std::string& name) const;
  void drop(std::size_t sample, const std::string& name);

 private:
  struct Entry {
    Tensor value;  ///< empty where it is put aside
    DType type = DType::kFloat32;
    std::vector<std::int64_t> shape;
    std::shared_ptr<const MappedFile> aside;
  };

  mutable std::mutex mutex_;
  std::vector<std::map<std::string, Entry>> values_;
  std::int64_t left_bytes_;
  std::unique_ptr<SpillFile> file_;
};

/// How a pass over pieces runs.
struct PassOptions {
  int threads = 1;
  std::int64_t crossing_bytes = std::int64_t{256} << 20;  ///< of the crossing values held in memory
  bool keeps_all = false;                                 ///< also what no later piece reads
};

/// A forward pass of all samples, one piece after the other: only one piece's weights are in memory at a time.
class PiecePass {
 public:
  /// Refers to the form, the pieces, the samples and the observer.
  PiecePass(const graph::RunForm& form, const std::vector<graph::Piece>& pieces, std::vector<const Feed*> samples,
            const PassOptions& options, const Observer& observer);

  /// Runs the next piece on all samples. Throws Error{kInterrupted} when cancelled.
  void advance();
  bool done() const { return next_ == pieces_.size(); }
  std::size_t next() const { return next_; }

  /// A value that is kept: an output of the network, or one that a piece to come reads.
  Tensor value(std::size_t sample, const std::string& name) const;
  /// Everything a piece that has run or is to run next is fed with, for one sample.
  Feed inputs_of(std::size_t piece, std::size_t sample) const;
  /// The next piece as a session that computes `more` values beside its outputs.
  Session session(const std::vector<std::string>& more) const;
  /// The types of the values computed so far; extents are left open.
  const std::map<std::string, ValueInfo>& types() const { return types_; }
  const std::vector<graph::Piece>& pieces() const { return pieces_; }
  std::size_t samples() const { return samples_.size(); }
  /// Processor time of all runs so far, divided by the number of samples: a forward pass.
  double forward_seconds() const;

 private:
  bool wanted(const std::string& name) const;
  void learn_types(const graph::Piece& piece, const std::vector<Tensor>& outputs);
  void drop_read(const graph::Piece& piece);

  const graph::RunForm& form_;
  const std::vector<graph::Piece>& pieces_;
  std::vector<const Feed*> samples_;
  PassOptions options_;
  const Observer& observer_;
  std::map<std::string, std::size_t> last_reader_;  ///< value -> piece
  std::map<std::string, ValueInfo> types_;
  CrossingValues values_;
  std::size_t next_ = 0;
  std::mutex mutex_;
  double seconds_ = 0;  ///< guarded by mutex_
};

/// Values of the piece that a pass runs next: those it is fed with and those it computes.
class PieceValues {
 public:
  /// The pass must outlive it and stay where it is.
  PieceValues(const PiecePass& pass, const std::vector<std::string>& names);
  /// May be called from several threads at once.
  Feed of(std::size_t sample) const;

 private:
  const PiecePass& pass_;
  std::vector<std::string> given_, computed_;
  std::unique_ptr<const Session> session_;
};

/// A session of a model made by graph::fed_model, or of more that is built on one, with the weights bound to it.
Session weighted_session(const onnx::ModelProto& model, const graph::RunForm& form,
                         const std::vector<std::string>& weights, int optimization_level = 99);
/// Gives the memory of the piece's mapped constants back.
void release_weights(const graph::RunForm& form, const graph::Piece& piece);

}  // namespace mpq::runtime
